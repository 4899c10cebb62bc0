// Tests of the server as part of somebody's program.

#include <gmock/gmock.h>
#include <grpcpp/health_check_service_interface.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "server/run/engine.h"
#include "tests/e2e/fixture.h"
#include "tests/server/support/temporary_directory.h"

namespace jobtail::e2e {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Holds back a job until a test lets it go on.
class Gate {
 public:
  void Pass() {
    arrived_.Notify();
    opened_.WaitForNotification();
  }
  void AwaitArrival() { arrived_.WaitForNotification(); }
  void Open() { opened_.Notify(); }

 private:
  absl::Notification arrived_;
  absl::Notification opened_;
};

bool IsListening(const std::string& address) {
  return OpenChannel(address)->WaitForConnected(std::chrono::system_clock::now() +
                                                std::chrono::milliseconds(100));
}

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

ServerOptions OnFreePorts() {
  ServerOptions options;
  options.grpc_address = "127.0.0.1:0";
  options.http.address = "127.0.0.1:0";
  return options;
}

// A port at which nothing listens.
std::string FreeAddress() {
  EmbeddedServer gone;
  return gone.server().grpc_address();
}

// A server whose one door cannot be opened listens at the other no more, and starts once it can.
TEST(Embedding, AStartThatFailedLeavesNothingListening) {
  const jobtail::testing::TemporaryDirectory home;
  const std::string path = home.path() + "/socket";
  auto first = std::make_unique<EmbeddedServer>();
  ServerOptions options;
  options.grpc_address = FreeAddress();
  options.more_grpc_addresses = {"unix:" + path};
  options.http.address = "unix:" + path + ".http";
  options.http.more_addresses = {first->server().grpc_address()};
  Server server(options);
  ASSERT_TRUE(server.AddJob(Job("hello", [](JobContext&) { puts("hello"); })).ok());
  EXPECT_EQ(server.Start().code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_FALSE(std::filesystem::exists(path + ".http"));
  EXPECT_EQ(server.grpc_address(), "");
  EXPECT_EQ(server.http_url(), "");
  {
    Server other({.grpc_address = options.grpc_address, .http = {.address = ""}});
    EXPECT_TRUE(other.Start().ok()) << "the port is free again";
  }
  first.reset();
  ASSERT_TRUE(server.Start().ok());
  const auto stub = Connect(server.grpc_address());
  EXPECT_THAT(Tail(*stub, Follow(StartRun(*stub, "hello"))).Lines(), ElementsAre("hello"));
}

TEST(Embedding, ASecondStartIsAnErrorThatReadersDoNotNotice) {
  EmbeddedServer server;
  Gate gate;
  server.Add("waits", [&](JobContext&) {
    puts("before");
    gate.Pass();
    puts("after");
  });
  const std::string run = StartRun(server.stub(), "waits");
  grpc::ClientContext context;
  const auto reader = server.stub().TailLog(&context, Follow(run));
  gate.AwaitArrival();
  grpc::ServerBuilder builder;
  for (const absl::Status& status : {server.server().Start(), server.server().AddTo(&builder)}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()), HasSubstr("started already"));
  }
  gate.Open();
  EXPECT_THAT(Transcript::Read(*reader).Lines(), ElementsAre("before", "after"));
  EXPECT_TRUE(reader->Finish().ok());
}

TEST(Embedding, AServerThatWasAddedOrStoppedIsNotStarted) {
  Server added(OnFreePorts());
  grpc::ServerBuilder builder;
  EXPECT_TRUE(added.AddTo(&builder).ok());
  EXPECT_EQ(added.AddTo(&builder).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(added.Start().code(), absl::StatusCode::kFailedPrecondition);
  Server stopped(OnFreePorts());
  stopped.Stop();
  EXPECT_THAT(std::string(stopped.Start().message()), HasSubstr("has been stopped"));
}

TEST(Embedding, AStopWithinATimeDoesNotWaitForJobsThatDoNotHeedIt) {
  EmbeddedServer server({.stop_grace = absl::InfiniteDuration()});
  Gate gate;
  server.Add("deaf", [&](JobContext&) { gate.Pass(); });
  StartRun(server.stub(), "deaf");
  gate.AwaitArrival();
  EXPECT_EQ(server.server().Stop(std::chrono::milliseconds(20)), 1u);
  EXPECT_FALSE(IsListening(server.server().grpc_address()));
  gate.Open();
}

// What an abandoned job does goes to its log; what is left of the server goes with the job.
TEST(Embedding, AJobThatIsAbandonedGoesOnWithoutTheServer) {
  const jobtail::testing::TemporaryDirectory home;
  Gate gate;
  absl::Notification last_words;
  std::string run;
  ServerOptions options = OnFreePorts();
  options.stop_grace = absl::ZeroDuration();
  options.store.directory = home.path();
  {
    Server server(options);
    ASSERT_TRUE(server
                    .AddJob(Job("deaf",
                                [&](JobContext& context) {
                                  gate.Pass();
                                  EXPECT_TRUE(context.stop_token().stop_requested());
                                  EXPECT_FALSE(context.SleepFor(absl::InfiniteDuration()));
                                  puts("still here");
                                  last_words.Notify();
                                }))
                    .ok());
    ASSERT_TRUE(server.Start().ok());
    run = StartRun(*Connect(server.grpc_address()), "deaf");
    gate.AwaitArrival();
    const std::vector<Server::RunAtWork> left = server.Abandon();
    ASSERT_EQ(left.size(), 1u);
    EXPECT_EQ(left[0].run, run);
    EXPECT_EQ(left[0].job, "deaf");
  }
  EXPECT_FALSE(Server(options).Start().ok()) << "the data directory is in use";
  gate.Open();
  last_words.WaitForNotification();
  std::unique_ptr<Server> next;
  do next = std::make_unique<Server>(options);
  while (!next->Start().ok());  // until the abandoned one is gone
  const auto stub = Connect(next->grpc_address());
  EXPECT_THAT(Tail(*stub, Follow(run)).Lines(), ElementsAre("still here"));
  EXPECT_EQ(GetRun(*stub, run).state(), v1::RUN_STATE_CANCELLED);
}

TEST(Embedding, NothingIsAbandonedWhereAllHaveEnded) {
  Server server(OnFreePorts());
  ASSERT_TRUE(server.Start().ok());
  EXPECT_TRUE(server.Abandon().empty());
}

// What became of the run of a program whose job ends it, as the next server finds it.
class Exiting : public ::testing::TestWithParam<std::string> {
 protected:
  void RunProgram(const std::string& how) {
    outcome_ = jobtail::testing::Run({.command = {JOBTAIL_EXITING, how, home_.path() + "/data"}});
    ServerOptions options = OnFreePorts();
    options.store.directory = home_.path() + "/data";
    server_ = std::make_unique<Server>(options);
    ASSERT_TRUE(server_->Start().ok());
    const auto runs = server_->engine().ListRuns({});
    ASSERT_TRUE(runs.ok());
    ASSERT_EQ(runs->runs_size(), 1);
    run_ = runs->runs(0);
  }

  std::vector<std::string> Lines() {
    const auto stub = Connect(server_->grpc_address());
    return Tail(*stub, Follow(run_.id())).Lines();
  }

  const jobtail::testing::TemporaryDirectory home_;
  jobtail::testing::Outcome outcome_;
  std::unique_ptr<Server> server_;
  v1::Run run_;
};

TEST_P(Exiting, AJobThatEndsTheProgramHasFailedAndSaysSo) {
  RunProgram(GetParam());
  EXPECT_EQ(outcome_.exit_code, 3) << outcome_.err;
  EXPECT_EQ(run_.state(), v1::RUN_STATE_FAILED);
  EXPECT_THAT(run_.result().error(), HasSubstr("the job ended the whole program"));
  EXPECT_THAT(outcome_.out + outcome_.err, HasSubstr("run " + run_.id()));
  EXPECT_THAT(Lines(), ElementsAre("a line", "no newline"));
}

INSTANTIATE_TEST_SUITE_P(Ways, Exiting,
                         ::testing::Values("exit", "static", "thread", "quick", "nested",
                                           "private"));

TEST_F(Exiting, AForkedChildThatExitsIsNotTheJob) {
  RunProgram("fork");
  EXPECT_EQ(outcome_.exit_code, 0) << outcome_.err;
  EXPECT_EQ(run_.state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_THAT(Lines(), ElementsAre("a line", "no newline"));
}

// A store that hangs keeps the program from its end for a while, not for ever.
TEST_F(Exiting, AStoreThatHangsDoesNotKeepTheProgram) {
  outcome_ = jobtail::testing::Run({.command = {JOBTAIL_EXITING, "hangs", ""}});
  EXPECT_EQ(outcome_.exit_code, 3) << outcome_.err;
  EXPECT_FALSE(outcome_.timed_out);
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
