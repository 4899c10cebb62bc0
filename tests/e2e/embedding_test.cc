// Tests of the server as part of somebody's program.

#include <gmock/gmock.h>
#include <grpcpp/health_check_service_interface.h>

#include <csignal>

#include "tests/e2e/fixture.h"

namespace jobtail::e2e {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Embedding, AddsTheServiceToAServerThatIsThere) {
  Server jobs;
  ASSERT_TRUE(jobs.AddJob(Job("hello", [](JobContext&) { puts("hello"); })).ok());
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  ASSERT_TRUE(jobs.AddTo(&builder).ok());
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  const auto stub = Connect("127.0.0.1:" + std::to_string(port));
  EXPECT_THAT(Tail(*stub, Follow(StartRun(*stub, "hello"))).Lines(), ElementsAre("hello"));
  jobs.Stop();
  server->Shutdown();
}

TEST(Embedding, AnAddressInUseIsAnError) {
  EmbeddedServer first;
  Server second({.grpc_address = first.server().grpc_address()});
  const absl::Status status = second.Start();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr(first.server().grpc_address()), HasSubstr("in use")));
}

TEST(Embedding, AnAddressWithoutPortIsAnError) {
  for (const char* address : {"", "localhost", "127.0.0.1:", ":50051", "127.0.0.1:99999"}) {
    Server server({.grpc_address = address});
    EXPECT_EQ(server.Start().code(), absl::StatusCode::kInvalidArgument) << address;
  }
}

TEST(Embedding, TheDemoSaysWhyItCannotStart) {
  DemoServer first;
  const jobtail::testing::Outcome outcome =
      jobtail::testing::Run({.command = {JOBTAIL_DEMO, "--grpc-address=" + first.address()}});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr(first.address()), HasSubstr("in use")));
  EXPECT_EQ(outcome.out, "");
}

}  // namespace
}  // namespace jobtail::e2e
