// A server to call over HTTP.
#ifndef JOBTAIL_TESTS_E2E_HTTP_CALLS_H_
#define JOBTAIL_TESTS_E2E_HTTP_CALLS_H_

#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <utility>

#include "server/http/options.h"
#include "tests/e2e/fixture.h"

namespace jobtail::e2e {

class HttpCalls : public ::testing::Test {
 protected:
  explicit HttpCalls(http::HttpOptions http = {}) : server_({.http = std::move(http)}) {
    server_.Add("hello", [](JobContext&) { puts("hello"); });
    server_.Add("waits", [](JobContext& run) { run.SleepFor(absl::InfiniteDuration()); });
  }

  std::string url() { return server_.server().http_url(); }
  // As the pages of this server have it.
  std::string url_origin() { return url().substr(0, url().size() - 1); }

  EmbeddedServer server_;
};

}  // namespace jobtail::e2e

#endif  // JOBTAIL_TESTS_E2E_HTTP_CALLS_H_
