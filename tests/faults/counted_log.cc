// Reads counted logs, and holds them against their numbers.
#include "tests/faults/counted_log.h"

#include <gtest/gtest.h>

#include <charconv>
#include <chrono>
#include <stop_token>
#include <string_view>

#include "tests/e2e/fixture.h"

namespace jobtail::faults {
namespace {

// The firehose has its lines' numbers at their beginning; the countdown counts from 0, "Task #0".
int64_t NumberIn(std::string_view text) {
  constexpr std::string_view kTask = "Task #";
  const bool counts_from_zero = text.starts_with(kTask);
  if (counts_from_zero) text.remove_prefix(kTask.size());
  int64_t number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return counts_from_zero ? number + 1 : number;
}

// Reads until the log ends, the stream does, or `stop` is requested.
grpc::Status Read(v1::JobService::Stub& stub, const std::string& run, bool follow,
                  const std::stop_token& stop, CountedLog* log) {
  v1::TailLogRequest request = e2e::Follow(run);
  request.set_follow(follow);
  request.set_from_sequence(log->last() + 1);
  grpc::ClientContext context;
  const std::stop_callback cancel(stop, [&context] { context.TryCancel(); });
  const auto reader = stub.TailLog(&context, request);
  for (v1::LogBatch batch; reader->Read(&batch);) log->Add(batch);
  return reader->Finish();
}

}  // namespace

void CountedLog::Add(const v1::LogBatch& batch) {
  for (const v1::LogLine& line : batch.lines()) {
    if (line.sequence() != 0) AddRecord(line);
  }
}

void CountedLog::AddRecord(const v1::LogLine& line) {
  const int64_t next = last_ + 1;
  last_ = line.sequence();
  ASSERT_FALSE(result_) << run_ << " goes on after its end";
  ASSERT_EQ(line.has_gap() ? line.gap().first() : line.sequence(), next) << run_;
  if (line.has_gap()) {
    gaps_.push_back(line.gap());
  } else if (line.has_result()) {
    result_ = line.result();
  } else if (is_numbered_ && line.text() != "Done") {
    ASSERT_EQ(NumberIn(line.text()), line.sequence()) << run_;
  }
}

void ReadAll(v1::JobService::Stub& stub, const std::string& run, CountedLog* log) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (std::chrono::steady_clock::now() < deadline && !::testing::Test::HasFatalFailure()) {
    const grpc::Status status = Read(stub, run, /*follow=*/false, {}, log);
    if (status.ok()) return;
    ASSERT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  FAIL() << run << " cannot be read";
}

Follower::Follower(const std::string& address, const std::string& run)
    : log_(run), thread_([this, address, run](const std::stop_token& stop) {
        const auto stub = e2e::Connect(address);
        while (!stop.stop_requested() && !log_.result()) {
          const grpc::Status status = Read(*stub, run, /*follow=*/true, stop, &log_);
          if (status.ok() || stop.stop_requested()) continue;
          ends_.insert(status.error_code());
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
      }) {}

void Follower::Stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

}  // namespace jobtail::faults
