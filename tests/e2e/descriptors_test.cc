// A server that finds no descriptors for a while, and goes on afterwards as if nothing had been.

#include <gmock/gmock.h>

#include <memory>

#include "tests/e2e/fixture.h"
#include "tests/e2e/http_client.h"
#include "tests/support/descriptor_shortage.h"
#include "tests/support/observe.h"
#include "tests/support/raw_client.h"

namespace jobtail::e2e {
namespace {

using jobtail::testing::DescriptorShortage;
using jobtail::testing::Eventually;
using jobtail::testing::RawClient;

std::string HostAndPort(const std::string& url) { return url.substr(7, url.size() - 8); }

TEST(Descriptors, OnceThereAreSomeAgainBothDoorsAccept) {
  if (jobtail::testing::kShortagesAreMisread) GTEST_SKIP() << "UBSan needs descriptors";
  EmbeddedServer server;
  server.Add("hello", [](JobContext&) { puts("hello"); });
  HttpClient probe(server.server().http_url());
  ASSERT_EQ(probe.Get("/readyz").status, 200);
  RawClient grpc;
  RawClient http;
  {
    const DescriptorShortage shortage;
    ASSERT_TRUE(http.Connect(HostAndPort(server.server().http_url())));
    ASSERT_TRUE(grpc.Connect(server.server().grpc_address()));
    EXPECT_TRUE(Eventually([&] { return probe.Get("/readyz").status == 503; }));
    EXPECT_TRUE(grpc.AwaitClose());
  }
  EXPECT_TRUE(Eventually([&] { return probe.Get("/readyz").status == 200; }));
  const auto stub = Connect(server.server().grpc_address());
  const std::string run = StartRun(*stub, "hello");
  EXPECT_TRUE(Tail(*stub, Follow(run)).ended());
  EXPECT_EQ(HttpClient(server.server().http_url()).Get("/v1/runs/" + run).status, 200);
}

}  // namespace
}  // namespace jobtail::e2e
