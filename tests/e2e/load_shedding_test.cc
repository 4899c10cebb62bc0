// A server that has taken more memory than it may: who sends most is given up.

#include <gmock/gmock.h>

#include <chrono>
#include <cstdio>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "server/rpc/growth.h"
#include "tests/e2e/fixture.h"
#include "tests/support/observe.h"

namespace jobtail::e2e {
namespace {

using jobtail::testing::Eventually;

grpc::StatusCode Call(v1::JobService::Stub& stub, size_t bytes) {
  grpc::ClientContext context;
  v1::GetRunRequest request;
  request.set_run(std::string(bytes, 'x'));
  v1::Run run;
  return stub.GetRun(&context, request, &run).error_code();
}

// The process is larger than that as soon as it has begun. The server is in it, with what takes
// memory besides.
class LoadShedding : public ::testing::Test {
 protected:
  void Grow() { taken_.emplace_back(2 * Growth::kStep, 'x'); }

  std::list<std::vector<char>> taken_;
  EmbeddedServer server_{{.memory_bytes = 1 << 20}};
  std::unique_ptr<v1::JobService::Stub> sender_ = Connect(server_.server().grpc_address());
};

TEST_F(LoadShedding, ClosesTheConnectionThatSendsMostAndLeavesTheOthers) {
  server_.Add("hello", [](JobContext&) { puts("hello"); });
  grpc::ClientContext context;
  const auto watch = server_.stub().WatchRuns(&context, {});
  watch->WaitForInitialMetadata();
  ASSERT_NE(Call(*sender_, 10), grpc::StatusCode::UNAVAILABLE);
  // Growing again and again: who is closed may have had its answer just before, and only a process
  // that grows is looked at.
  EXPECT_TRUE(Eventually([&] {
    if (taken_.size() >= 10) taken_.clear();
    Grow();
    EXPECT_NE(Call(server_.stub(), 10), grpc::StatusCode::UNAVAILABLE) << "it sends little";
    return Call(*sender_, 200'000) == grpc::StatusCode::UNAVAILABLE;
  }));
  const std::string run = StartRun(server_.stub(), "hello");
  v1::Run seen;
  EXPECT_TRUE(watch->Read(&seen));  // on the connection that it had all the time
  EXPECT_EQ(seen.id(), run);
  context.TryCancel();
}

}  // namespace
}  // namespace jobtail::e2e
