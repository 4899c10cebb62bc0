// Clients whose requests do not come to an end, and those whose requests are many and large.

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "tests/e2e/fixture.h"
#include "tests/e2e/http2_sender.h"
#include "tests/support/observe.h"

namespace jobtail::e2e {
namespace {

using jobtail::testing::Eventually;
using jobtail::testing::PeakMemory;

constexpr uint32_t kRequest = 2'000'000;  // bytes: about as large as one may be
constexpr int64_t kMiB = 1 << 20;

bool IsServed(v1::JobService::Stub& stub) {
  grpc::ClientContext context;
  v1::ListJobsResponse jobs;
  return stub.ListJobs(&context, {}, &jobs).ok();
}

// Sends on all of them until the server has closed that many.
void SendUntilClosed(std::vector<std::unique_ptr<Http2Sender>>* senders, size_t closed) {
  size_t gone = 0;
  EXPECT_TRUE(Eventually([&] {
    gone += std::erase_if(*senders, [](const auto& sender) { return !sender->SendMore(); });
    return gone >= closed;
  }));
}

TEST(UnfinishedRequests, BeyondWhatAConnectionMayHaveEndIt) {
  DemoServer server({"--memory=8GB"});
  std::vector<std::unique_ptr<Http2Sender>> senders;
  senders.push_back(std::make_unique<Http2Sender>(server.address()));
  for (int i = 0; i < 200; ++i) senders[0]->BeginCall("CreateRun", kRequest);
  SendUntilClosed(&senders, 1);
  EXPECT_LT(PeakMemory(server.process().pid()), 256 * kMiB);
  // Nobody connects from there for a while; then it is as before.
  EXPECT_TRUE(Eventually([&] { return IsServed(server.stub()); }));
}

TEST(UnfinishedRequests, BeyondWhatAnAddressMayHaveEndItsConnections) {
  constexpr int kConnections = 40;  // each of which has little
  DemoServer server({"--memory=8GB"});
  std::vector<std::unique_ptr<Http2Sender>> senders;
  for (int i = 0; i < kConnections; ++i) {
    senders.push_back(std::make_unique<Http2Sender>(server.address()));
    for (int call = 0; call < 3; ++call) senders.back()->BeginCall("CreateRun", kRequest);
  }
  SendUntilClosed(&senders, kConnections / 2);
  EXPECT_LT(PeakMemory(server.process().pid()), 256 * kMiB);
  EXPECT_TRUE(Eventually([&] { return IsServed(server.stub()); }));
}

// A run that is created, with parameters about as large as they may be.
struct Creation {
  grpc::ClientContext context;
  v1::CreateRunRequest request;
  v1::Run run;
  grpc::Status status;

  void Start(v1::JobService::Stub* stub, size_t bytes, absl::BlockingCounter* pending) {
    request.set_job("say");
    (*request.mutable_parameters())["text"] = std::string(bytes, 'x');
    stub->async()->CreateRun(&context, &request, &run, [this, pending](grpc::Status result) {
      status = std::move(result);
      pending->DecrementCount();
    });
  }
};

// Within what a connection may have; and again and again.
TEST(UnfinishedRequests, AreNotWhatAClientDoesWhoseRequestsAreLarge) {
  constexpr int kAtOnce = 16;
  DemoServer server({"--memory=8GB"});
  for (int round = 0; round < 8; ++round) {
    std::deque<Creation> creations(kAtOnce);
    absl::BlockingCounter pending(kAtOnce);
    for (Creation& creation : creations) creation.Start(&server.stub(), 1'000'000, &pending);
    pending.Wait();
    for (const Creation& creation : creations) {
      EXPECT_TRUE(creation.status.ok()) << creation.status.error_message();
    }
  }
}

// Streams are calls that are open for long, whatever else their connection sends meanwhile.
TEST(UnfinishedRequests, AreNotStreams) {
  constexpr int kStreams = 200;
  DemoServer server({"--memory=8GB"});
  struct Watch {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<v1::Run>> stream;
  };
  std::deque<Watch> watches(kStreams);
  for (Watch& watch : watches) {
    watch.stream = server.stub().WatchRuns(&watch.context, {});
    watch.stream->WaitForInitialMetadata();
  }
  for (int i = 0; i < 100; ++i) {  // more than a connection may have at once
    std::deque<Creation> creations(1);
    absl::BlockingCounter pending(1);
    creations[0].Start(&server.stub(), 1'000'000, &pending);
    pending.Wait();
    ASSERT_TRUE(creations[0].status.ok()) << creations[0].status.error_message();
  }
  for (Watch& watch : watches) {
    v1::Run run;
    EXPECT_TRUE(watch.stream->Read(&run));
    watch.context.TryCancel();
  }
}

}  // namespace
}  // namespace jobtail::e2e
