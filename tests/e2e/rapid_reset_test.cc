// A client that begins calls and cancels them as fast as it can.

#include <gmock/gmock.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "tests/e2e/fixture.h"
#include "tests/e2e/http2_sender.h"
#include "tests/support/observe.h"
#include "tests/support/raw_client.h"

namespace jobtail::e2e {
namespace {

using jobtail::testing::Eventually;
using jobtail::testing::RawClient;

constexpr std::chrono::seconds kFlood(4);

// A call whose request is an empty message, and its end.
std::string BegunAndCancelled(uint32_t stream) {
  constexpr uint32_t kCancel = 8;
  static const std::string headers = CallHeaders("ListRuns");
  return MakeFrame(FrameType::kHeaders, kEndOfHeaders, stream, headers) +
         MakeFrame(FrameType::kData, kEndOfStream, stream, std::string(5, '\0')) +
         MakeFrame(FrameType::kReset, 0, stream, BigEndian(kCancel, 4));
}

// For some seconds, with another connection where the server closes one.
void Flood(const std::string& address) {
  const auto end = std::chrono::steady_clock::now() + kFlood;
  while (std::chrono::steady_clock::now() < end) {
    RawClient client;
    ASSERT_TRUE(client.Connect(address));
    std::string bytes = kPreface + MakeFrame(FrameType::kSettings, 0, 0, "");
    for (uint32_t stream = 1; std::chrono::steady_clock::now() < end;) {
      for (int i = 0; i < 100; ++i, stream += 2) bytes += BegunAndCancelled(stream);
      if (!client.Send(bytes)) break;
      client.Drop();
      bytes.clear();
    }
  }
}

// However much memory there is: without a bound it is some gigabytes.
TEST(RapidReset, TakesLittleMemoryAndOthersAreServed) {
  DemoServer server({"--memory=8GB"});
  std::vector<std::thread> floods;
  for (int i = 0; i < 3; ++i) floods.emplace_back([&] { Flood(server.address()); });
  for (std::thread& flood : floods) flood.join();
  EXPECT_TRUE(Eventually([&] {
    grpc::ClientContext context;
    v1::ListJobsResponse jobs;
    return server.stub().ListJobs(&context, {}, &jobs).ok();
  }));
  EXPECT_LT(jobtail::testing::PeakMemory(server.process().pid()), 300 << 20);
}

// However fast they begin: gRPC holds many of them then, as it does of who floods.
TEST(RapidReset, IsNotWhatAClientDoesThatBeginsThousandsOfCallsAtOnce) {
  constexpr int kCalls = 6'000;
  struct Call {
    grpc::ClientContext context;
    v1::ListJobsResponse jobs;
  };
  DemoServer server({"--memory=8GB"});
  std::vector<Call> calls(kCalls);
  std::atomic<int> served = 0;
  absl::BlockingCounter pending(kCalls);
  const v1::ListJobsRequest request;
  for (Call& call : calls) {
    server.stub().async()->ListJobs(&call.context, &request, &call.jobs,
                                    [&](const grpc::Status& status) {
                                      if (status.ok()) ++served;
                                      pending.DecrementCount();
                                    });
  }
  pending.Wait();
  EXPECT_EQ(served, kCalls);
}

}  // namespace
}  // namespace jobtail::e2e
