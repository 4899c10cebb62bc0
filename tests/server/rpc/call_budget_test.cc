// Calls through the gRPC door by a client that asks faster than it can be answered, or does not
// read.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "server/rpc/job_service.h"
#include "tests/server/run/engine_fixture.h"
#include "tests/support/observe.h"

namespace jobtail {
namespace {

using jobtail::testing::Eventually;

// Room for three calls of a connection.
constexpr size_t kCalls = 3;
constexpr ByteBudget::Limits kLimits{
    .connection = (kCalls * 17) << 10, .address = 1 << 20, .total = 1 << 20};

class CallBudget : public testing::EngineTest {
 protected:
  CallBudget() {
    const std::string large(64 << 10, 'x');
    AddJob(Job("hello", [](JobContext&) {}).With(Parameter::String("text").Default(large)));
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
  }
  ~CallBudget() override {
    Unplug();
    server_->Shutdown();
  }

  // A connection of its own.
  std::unique_ptr<v1::JobService::Stub> Connect() {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return v1::JobService::NewStub(grpc::CreateCustomChannel(
        absl::StrCat("127.0.0.1:", port_), grpc::InsecureChannelCredentials(), arguments));
  }

  // Keeps all threads of the pool busy.
  void Plug() {
    absl::BlockingCounter begun(StorePool::kThreads);
    for (int i = 0; i < StorePool::kThreads; ++i) {
      pool_.Run(absl::StrCat("plug ", i), [this, &begun] {
        begun.DecrementCount();
        plug_.WaitForNotification();
      });
    }
    begun.Wait();
  }
  void Unplug() {
    if (!plug_.HasBeenNotified()) plug_.Notify();
  }

  absl::Notification plug_;
  ByteBudget budget_{kLimits};
  StorePool pool_;
  JobService service_{&engine_, &pool_, &budget_, /*heartbeat=*/absl::Hours(1)};
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

// A call that is under way.
struct Listing {
  grpc::ClientContext context;
  v1::ListRunsRequest request;
  v1::ListRunsResponse response;
  grpc::Status status;
  absl::Notification done;

  void Start(v1::JobService::Stub* stub) {
    stub->async()->ListRuns(&context, &request, &response, [this](grpc::Status result) {
      status = std::move(result);
      done.Notify();
    });
  }
  grpc::StatusCode Await() {
    done.WaitForNotification();
    return status.error_code();
  }
};

TEST_F(CallBudget, CallsThatWaitBeyondItAreRefusedAndOthersWait) {
  Plug();
  const auto greedy = Connect();
  const auto other = Connect();
  std::deque<Listing> calls(kCalls + 2);
  for (Listing& call : calls) call.Start(greedy.get());
  const auto ended = [&] {
    return std::ranges::count_if(calls, [](auto& call) { return call.done.HasBeenNotified(); });
  };
  EXPECT_TRUE(Eventually([&] { return ended() == 2; }));
  Listing call;
  call.Start(other.get());
  Unplug();
  EXPECT_EQ(call.Await(), grpc::StatusCode::OK);
  std::map<grpc::StatusCode, size_t> results;
  for (Listing& listing : calls) ++results[listing.Await()];
  EXPECT_EQ(results[grpc::StatusCode::OK], kCalls);
  EXPECT_EQ(results[grpc::StatusCode::RESOURCE_EXHAUSTED], 2);
  EXPECT_TRUE(Eventually([&] { return budget_.reserved() == 0; }));
}

TEST_F(CallBudget, CallsThatWereCancelledCountUntilTheyAreOver) {
  Plug();
  const auto greedy = Connect();
  std::deque<Listing> calls(kCalls);
  for (Listing& call : calls) call.Start(greedy.get());
  ASSERT_TRUE(Eventually([&] { return pool_.waiting() == static_cast<int64_t>(kCalls); }));
  for (Listing& call : calls) {
    call.context.TryCancel();
    EXPECT_EQ(call.Await(), grpc::StatusCode::CANCELLED);
  }
  Listing call;
  call.Start(greedy.get());
  EXPECT_EQ(call.Await(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  Unplug();
  EXPECT_TRUE(Eventually([&] { return budget_.reserved() == 0; }));
}

TEST_F(CallBudget, AnAnswerBeyondItIsNotSent) {
  const auto stub = Connect();
  grpc::ClientContext context;
  v1::ListJobsResponse response;
  const grpc::Status status = stub->ListJobs(&context, {}, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  Listing call;
  call.Start(stub.get());
  EXPECT_EQ(call.Await(), grpc::StatusCode::OK);
}

}  // namespace
}  // namespace jobtail
