// A server that has taken more memory than it may: who sends most is given up.

#include <gmock/gmock.h>

#include <memory>
#include <string>

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

// It is larger than that as soon as it has begun.
TEST(LoadShedding, ClosesTheConnectionThatSendsMostAndLeavesTheOthers) {
  DemoServer server({"--memory=1MB"});
  grpc::ClientContext context;
  const auto watch = server.stub().WatchRuns(&context, {});
  watch->WaitForInitialMetadata();
  const auto sender = Connect(server.address());
  ASSERT_NE(Call(*sender, 10), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(Eventually([&] {
    EXPECT_NE(Call(server.stub(), 10), grpc::StatusCode::UNAVAILABLE) << "it sends little";
    return Call(*sender, 200'000) == grpc::StatusCode::UNAVAILABLE;
  }));
  const std::string run =
      StartRun(server.stub(), "countdown", {{"times", "1"}, {"interval", "0s"}});
  v1::Run seen;
  EXPECT_TRUE(watch->Read(&seen));  // on the connection that it had all the time
  EXPECT_EQ(seen.id(), run);
  context.TryCancel();
}

}  // namespace
}  // namespace jobtail::e2e
