// Tests of the server as part of somebody's program.

#include <gmock/gmock.h>
#include <grpcpp/health_check_service_interface.h>

#include <csignal>

#include "tests/e2e/fixture.h"
#include "tests/server/support/temporary_directory.h"

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

ServerOptions KeptIn(const std::string& directory) {
  ServerOptions options;
  options.store.directory = directory;
  return options;
}

// Waits for the first line of a run that is at work.
void AwaitText(v1::JobService::Stub& stub, const std::string& run) {
  grpc::ClientContext context;
  const auto reader = stub.TailLog(&context, Follow(run));
  bool has_text = false;
  for (v1::LogBatch batch; !has_text && reader->Read(&batch);) {
    for (const v1::LogLine& line : batch.lines()) has_text |= line.has_text();
  }
  context.TryCancel();
  reader->Finish();
  EXPECT_TRUE(has_text);
}

TEST(Embedding, AnotherServerGoesOnFromACopyOfOneThatIsAtWork) {
  const jobtail::testing::TemporaryDirectory home;
  EmbeddedServer server(KeptIn(home.path() + "/data"));
  server.Add("hello", [](JobContext&) { puts("hello"); });
  server.Add("stays", [](JobContext& run) {
    puts("here");
    run.SleepFor(absl::InfiniteDuration());
  });
  const std::string ended = StartRun(server.stub(), "hello");
  const std::string at_work = StartRun(server.stub(), "stays");
  WaitUntilEnded(server.stub(), ended);
  AwaitText(server.stub(), at_work);
  const absl::Status copied = server.server().Checkpoint(home.path() + "/copy");
  ASSERT_TRUE(copied.ok()) << copied;
  EmbeddedServer other(KeptIn(home.path() + "/copy"));
  EXPECT_THAT(Tail(other.stub(), Follow(ended)).Lines(), ElementsAre("hello"));
  EXPECT_THAT(Tail(other.stub(), Follow(at_work)).Lines(), ElementsAre("here"));
  EXPECT_EQ(GetRun(other.stub(), at_work).state(), v1::RUN_STATE_LOST);
  EXPECT_EQ(GetRun(server.stub(), at_work).state(), v1::RUN_STATE_RUNNING);
}

TEST(Embedding, AServerInMemoryHasNothingToCopy) {
  EmbeddedServer server;
  EXPECT_EQ(server.server().Checkpoint("/tmp/nothing").code(),
            absl::StatusCode::kFailedPrecondition);
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
