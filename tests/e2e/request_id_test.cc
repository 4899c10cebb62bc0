// A request that is repeated, also at the server that comes after.

#include <gmock/gmock.h>

#include <csignal>
#include <string>

#include "tests/e2e/fixture.h"
#include "tests/server/support/temporary_directory.h"

namespace jobtail::e2e {
namespace {

std::string Create(v1::JobService::Stub& stub, const std::string& request_id) {
  v1::CreateRunRequest request;
  request.set_job("countdown");
  (*request.mutable_parameters())["times"] = "1";
  (*request.mutable_parameters())["interval"] = "0";
  request.set_request_id(request_id);
  grpc::ClientContext context;
  v1::Run run;
  const grpc::Status status = stub.CreateRun(&context, request, &run);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return run.id();
}

TEST(RequestId, StandsForItsRunAlsoAfterTheServerWasKilled) {
  const jobtail::testing::TemporaryDirectory directory;
  std::string run;
  {
    DemoServer server({"--data-dir=" + directory.path()});
    run = Create(server.stub(), "once");
    EXPECT_EQ(Create(server.stub(), "once"), run);
    WaitUntilEnded(server.stub(), run);
    server.process().Signal(SIGKILL);
    server.process().Wait();
  }
  DemoServer server({"--data-dir=" + directory.path()});
  EXPECT_EQ(Create(server.stub(), "once"), run);
  EXPECT_NE(Create(server.stub(), "twice"), run);
}

}  // namespace
}  // namespace jobtail::e2e
