// Calls through the gRPC door, over loopback, on a store that hangs.

#include "server/rpc/job_service.h"

#include <gmock/gmock.h>
#include <grpcpp/health_check_service_interface.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "tests/e2e/raw_call.h"
#include "tests/server/run/engine_fixture.h"
#include "tests/support/observe.h"
#include "tests/support/passing_time.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// So long a call may take on a slow machine. One that hangs fails the test after that.
constexpr std::chrono::seconds kDeadline(60);

class JobServiceTest : public testing::EngineTest {
 protected:
  JobServiceTest() {
    AddJob(Job("counts", [](JobContext&) {
      for (int i = 1; i <= 100; ++i) printf("%d\n", i);
    }));
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
  }
  ~JobServiceTest() override {
    service_.StopStreams(absl::ZeroDuration());
    server_->Shutdown();
  }

  // A connection of its own.
  std::shared_ptr<grpc::Channel> Connect() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", port_),
                                     grpc::InsecureChannelCredentials(), arguments);
  }

  static grpc::Status GetRun(v1::JobService::Stub& stub, const std::string& run) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kDeadline);
    v1::GetRunRequest request;
    request.set_run(run);
    v1::Run response;
    return stub.GetRun(&context, request, &response);
  }

  // How many lines a stream brings, or -1 if it ends with an error.
  static int CountLines(v1::JobService::Stub& stub, const v1::TailLogRequest& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kDeadline);
    const auto reader = stub.TailLog(&context, request);
    int lines = 0;
    for (v1::LogBatch batch; reader->Read(&batch);) {
      for (const v1::LogLine& line : batch.lines()) lines += line.has_text() ? 1 : 0;
    }
    return reader->Finish().ok() ? lines : -1;
  }

  // An ended run, whose log is in the store alone.
  std::string Ended() {
    const std::string run = Start("counts");
    AwaitClosed(run);
    return run;
  }

  static v1::TailLogRequest Search(const std::string& run, const std::string& pattern) {
    v1::TailLogRequest request;
    request.set_run(run);
    request.set_pattern(pattern);
    return request;
  }

  // Whether a run is started for a client that cancels its call while that waits for a thread.
  bool StartsARunForNobody() {
    const auto first = std::make_shared<absl::Notification>();
    const auto others = std::make_shared<absl::Notification>();
    absl::BlockingCounter begun(StorePool::kThreads);
    for (int i = 0; i < StorePool::kThreads; ++i) {
      pool_.Run(absl::StrCat("plug ", i), [&begun, plug = i == 0 ? first : others] {
        begun.DecrementCount();
        plug->WaitForNotification();
      });
    }
    begun.Wait();
    const int64_t before = store_.count(Call::kPutRun);
    const auto channel = Connect();
    const auto stub = v1::JobService::NewStub(channel);
    v1::RunJobRequest request;
    request.set_job("counts");
    grpc::ClientContext context;
    const auto reader = stub->RunJob(&context, request);
    while (pool_.waiting() < 1) std::this_thread::yield();
    context.TryCancel();
    reader->Finish();
    e2e::RawCall(channel, "/grpc.health.v1.Health/Check", "");  // the server has most likely heard
    absl::Notification done;
    pool_.Run("last", [&done] { done.Notify(); });
    first->Notify();  // one thread: the call's turn, then the last one's
    done.WaitForNotification();
    const int64_t after = store_.count(Call::kPutRun);
    others->Notify();
    return after > before;
  }

  ByteBudget budget_{{}};
  StorePool pool_;  // what runs in it uses the budget
  JobService service_{&engine_, &pool_, &budget_, /*heartbeat=*/absl::Milliseconds(20)};
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

// Streams of one client that hang in the store.
class Hanging {
 public:
  Hanging(std::shared_ptr<grpc::Channel> channel, const v1::TailLogRequest& request, int count)
      : stub_(v1::JobService::NewStub(channel)), contexts_(count) {
    for (grpc::ClientContext& context : contexts_) {
      threads_.emplace_back([this, &context, request] {
        const auto reader = stub_->TailLog(&context, request);
        for (v1::LogBatch batch; reader->Read(&batch);) {
        }
        reader->Finish();
      });
    }
  }
  ~Hanging() {
    for (grpc::ClientContext& context : contexts_) context.TryCancel();
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  const std::unique_ptr<v1::JobService::Stub> stub_;
  std::vector<grpc::ClientContext> contexts_;
  std::vector<std::thread> threads_;
};

TEST_F(JobServiceTest, AnswersBytesThatAreNoRequest) {
  const auto channel = Connect();
  for (const char* call : {"GetRun", "CreateRun", "ListRuns", "TailLog", "RunJob", "WatchRuns"}) {
    const e2e::RawReply reply =
        e2e::RawCall(channel, absl::StrCat("/jobtail.v1.JobService/", call), "\xff\xff\xff");
    EXPECT_EQ(reply.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT) << call;
    EXPECT_THAT(reply.status.error_message(),
                HasSubstr(absl::StrCat("jobtail.v1.", call, "Request")));
    EXPECT_TRUE(reply.messages.empty()) << call;
  }
}

TEST_F(JobServiceTest, EndsAStreamThatCannotBeOpenedWithItsError) {
  const auto stub = v1::JobService::NewStub(Connect());
  grpc::ClientContext context;
  v1::TailLogRequest request;
  request.set_run("none");
  v1::LogBatch batch;
  const auto reader = stub->TailLog(&context, request);
  EXPECT_FALSE(reader->Read(&batch));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
}

// Two of them would have been all of gRPC's threads.
TEST_F(JobServiceTest, AnswersOthersWhileTheStoreLooksForATime) {
  const std::string run = Ended();
  store_.Block(Call::kFindTime);
  v1::TailLogRequest since;
  since.set_run(run);
  since.mutable_since()->set_seconds(1'700'000'000);
  {
    const Hanging hanging(Connect(), since, 4);
    store_.AwaitBlocked(Call::kFindTime);
    const auto stub = v1::JobService::NewStub(Connect());
    EXPECT_TRUE(GetRun(*stub, run).ok());
    EXPECT_EQ(CountLines(*stub, Search(run, "^7.$")), 10);
    store_.Unblock(Call::kFindTime);
  }
}

TEST_F(JobServiceTest, ServesASmallSearchBesideManyThatHang) {
  const std::string large = Ended();
  const std::string small = Ended();
  store_.Block(Call::kRead, large);
  {
    const Hanging hanging(Connect(), Search(large, "nothing"), 20);
    store_.AwaitBlocked(Call::kRead);
    const auto stub = v1::JobService::NewStub(Connect());
    EXPECT_EQ(CountLines(*stub, Search(small, "^7.$")), 10);
    store_.Unblock(Call::kRead);
  }
}

// Whoever hears nothing takes the connection for lost, and begins again.
TEST_F(JobServiceTest, SendsHeartbeatsWhileASearchFindsNothing) {
  const std::string run = Ended();
  store_.Block(Call::kRead, run);
  const auto stub = v1::JobService::NewStub(Connect());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  const auto reader = stub->TailLog(&context, Search(run, "nothing"));
  int heartbeats = 0;
  v1::LogBatch batch;
  while (heartbeats < 3 && reader->Read(&batch)) {
    for (const v1::LogLine& line : batch.lines()) {
      heartbeats += line.has_heartbeat() ? 1 : 0;
      EXPECT_EQ(line.heartbeat().searched_through(), 0) << "nothing was looked at yet";
    }
  }
  EXPECT_EQ(heartbeats, 3);
  store_.Unblock(Call::kRead);
  while (reader->Read(&batch)) {
  }
  EXPECT_TRUE(reader->Finish().ok());
}

// By what the last heartbeat said, though the store lets nobody look there again.
TEST_F(JobServiceTest, AResumedSearchGoesOnWhereTheFirstHasLooked) {
  constexpr int kLines = 8000;
  AddJob(Job("long", [](JobContext&) {
    const std::string text(1000, '.');
    for (int i = 1; i <= kLines; ++i) puts(text.c_str());
    puts("needle");
  }));
  const std::string run = Start("long");
  AwaitClosed(run);
  const auto stub = v1::JobService::NewStub(Connect());
  v1::TailLogRequest request = Search(run, "needle");
  const int64_t before = store_.count(Call::kRead);
  EXPECT_EQ(CountLines(*stub, request), 1);
  int64_t reads = (store_.count(Call::kRead) - before) / 2;
  const std::function<void()> after = [&] {
    if (--reads > 0) return store_.AfterNext(Call::kRead, after);
    store_.Block(Call::kRead, run);
  };
  store_.AfterNext(Call::kRead, after);
  int64_t searched = 0;
  {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kDeadline);
    const auto reader = stub->TailLog(&context, request);
    for (v1::LogBatch batch; searched == 0 && reader->Read(&batch);) {
      for (const v1::LogLine& line : batch.lines()) {
        searched = std::max(searched, line.heartbeat().searched_through());
      }
    }
    context.TryCancel();
    reader->Finish();
  }
  store_.Unblock(Call::kRead);
  ASSERT_GT(searched, 0);
  ASSERT_LT(searched, kLines);
  store_.Damage(1, searched);
  request.set_from_sequence(searched + 1);
  grpc::ClientContext context;
  const auto reader = stub->TailLog(&context, request);
  std::vector<std::string> found;
  for (v1::LogBatch batch; reader->Read(&batch);) {
    for (const v1::LogLine& line : batch.lines()) {
      EXPECT_FALSE(line.has_gap()) << "it has looked again";
      if (line.has_text()) found.push_back(line.text());
    }
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_THAT(found, ElementsAre("needle"));
}

TEST_F(JobServiceTest, AnswersProbesWhateverHangsInTheStore) {
  const std::string run = Ended();
  store_.Block(Call::kRead);
  {
    const Hanging first(Connect(), Search(run, "nothing"), 4);
    const Hanging second(Connect(), Search(run, "nothing"), 4);
    const Hanging third(Connect(), Search(run, "nothing"), 4);
    while (pool_.waiting() < 8) std::this_thread::yield();  // no thread of the pool is left
    EXPECT_THAT(e2e::RawCall(Connect(), "/grpc.health.v1.Health/Check", "").messages,
                ElementsAre("\x08\x01"));
    store_.Unblock(Call::kRead);
  }
}

// The server learns that a client has gone when it likes: it is tried until it has in time.
TEST_F(JobServiceTest, DoesNothingForAClientThatHasGone) {
  AddJob(Job("one", [](JobContext&) { puts("one"); }));
  const std::string run = Start("one");
  AwaitClosed(run);
  EXPECT_TRUE(testing::Eventually([&] {
    store_.Block(Call::kRead);
    bool hung = false;  // not for the moment after its end in which the log is in memory
    {
      const Hanging hanging(Connect(), Search(run, "nothing"), 20);
      const absl::Time given_up = absl::Now() + absl::Seconds(2);
      while (!(hung = pool_.waiting() >= 18) && absl::Now() < given_up) std::this_thread::yield();
    }  // gone
    const int64_t reads = store_.count(Call::kRead);
    store_.Unblock(Call::kRead);
    while (service_.stream_stats().open > 0) std::this_thread::yield();
    return hung && store_.count(Call::kRead) <= reads + 4;  // of 40: what had begun
  }));
}

TEST_F(JobServiceTest, StartsNoRunForAClientThatHasGone) {
  EXPECT_TRUE(testing::Eventually([this] { return !StartsARunForNobody(); }));
}

TEST_F(JobServiceTest, CancelsARunWhoseClientGoesAwayIfAsked) {
  AddWaitingJob("waits");
  const auto stub = v1::JobService::NewStub(Connect());
  v1::RunJobRequest request;
  request.set_job("waits");
  request.set_on_disconnect(v1::ON_DISCONNECT_CANCEL);
  grpc::ClientContext context;
  const auto reader = stub->RunJob(&context, request);
  v1::LogLine line;
  ASSERT_TRUE(reader->Read(&line));
  ASSERT_TRUE(line.has_run());
  context.TryCancel();
  reader->Finish();
  EXPECT_EQ(AwaitResult(line.run().id()).state(), v1::RUN_STATE_CANCELLED);
}

class ClockedJobServiceTest : public testing::ClockedEngineTest {
 protected:
  ByteBudget budget_{{}};
  StorePool pool_;  // what runs in it uses the budget
  JobService service_{&engine_, &pool_, &budget_, /*heartbeat=*/absl::Hours(1)};
};

TEST_F(ClockedJobServiceTest, SendsHeartbeatsByTheEnginesClock) {
  AddWaitingJob("waits");
  v1::TailLogRequest request;
  request.set_run(Start("waits"));
  request.set_follow(true);
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service_);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  const auto stub = v1::JobService::NewStub(
      grpc::CreateChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  const auto reader = stub->TailLog(&context, request);
  v1::LogBatch batch;
  bool is_alive = false;
  {
    const PassingTime passing(&clock_, absl::Minutes(1));
    while (!is_alive && reader->Read(&batch)) {
      for (const v1::LogLine& line : batch.lines()) is_alive |= line.has_heartbeat();
    }
  }
  EXPECT_TRUE(is_alive);
  context.TryCancel();
  reader->Finish();
  server->Shutdown();
}

}  // namespace
}  // namespace jobtail
