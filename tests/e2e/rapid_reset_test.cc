// A client that begins calls and cancels them as fast as it can.

#include <gmock/gmock.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "tests/e2e/fixture.h"
#include "tests/support/observe.h"
#include "tests/support/raw_client.h"

namespace jobtail::e2e {
namespace {

using jobtail::testing::Eventually;
using jobtail::testing::RawClient;

constexpr std::chrono::seconds kFlood(4);

// Types of HTTP/2's frames, RFC 9113.
enum Frame : char { kData = 0, kHeaders = 1, kReset = 3, kSettings = 4 };

std::string BigEndian(uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}

std::string MakeFrame(Frame type, char flags, uint32_t stream, const std::string& payload) {
  return BigEndian(payload.size(), 3) + static_cast<char>(type) + flags + BigEndian(stream, 4) +
         payload;
}

// A header field without compression, RFC 7541.
std::string Field(std::string_view name, std::string_view value) {
  std::string field(1, '\0');
  for (const std::string_view part : {name, value}) {
    field += static_cast<char>(part.size());
    field += part;
  }
  return field;
}

// A call whose request is an empty message, and its end.
std::string BegunAndCancelled(uint32_t stream) {
  constexpr char kEndOfHeaders = 4;
  constexpr char kEndOfStream = 1;
  constexpr uint32_t kCancel = 8;
  static const std::string headers =
      Field(":method", "POST") + Field(":scheme", "http") +
      Field(":path", "/jobtail.v1.JobService/ListRuns") + Field(":authority", "localhost") +
      Field("content-type", "application/grpc") + Field("te", "trailers");
  return MakeFrame(kHeaders, kEndOfHeaders, stream, headers) +
         MakeFrame(kData, kEndOfStream, stream, std::string(5, '\0')) +
         MakeFrame(kReset, 0, stream, BigEndian(kCancel, 4));
}

// For some seconds, with another connection where the server closes one.
void Flood(const std::string& address) {
  const auto end = std::chrono::steady_clock::now() + kFlood;
  while (std::chrono::steady_clock::now() < end) {
    RawClient client;
    ASSERT_TRUE(client.Connect(address));
    std::string bytes = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + MakeFrame(kSettings, 0, 0, "");
    for (uint32_t stream = 1; std::chrono::steady_clock::now() < end;) {
      for (int i = 0; i < 100; ++i, stream += 2) bytes += BegunAndCancelled(stream);
      if (!client.Send(bytes)) break;
      client.Drop();
      bytes.clear();
    }
  }
}

// The most that the process ever had in memory, in KiB.
int64_t PeakOf(pid_t process) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  int64_t peak = -1;
  for (std::string name; status >> name;) {
    if (name == "VmHWM:" && status >> peak) break;
  }
  return peak;
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
  EXPECT_LT(PeakOf(server.process().pid()), 300 << 10);
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
