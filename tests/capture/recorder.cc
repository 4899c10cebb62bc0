// The recording sink, and the report of a child process about its sinks.

#include "tests/capture/recorder.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <ostream>

#include "tests/support/subprocess.h"

namespace jobtail::capture {
namespace {

// A child's report: for each record the sink's number, stream, ending and size, then the text.
struct Header {
  uint32_t sink;
  Stream stream;
  Ending ending;
  uint64_t size;
};

std::string Encode(const std::deque<Recorder>& sinks) {
  std::string report;
  for (size_t i = 0; i < sinks.size(); ++i) {
    for (const Record& record : sinks[i].records()) {
      Header header = {};
      header.sink = static_cast<uint32_t>(i);
      header.stream = record.stream;
      header.ending = record.ending;
      header.size = record.text.size();
      report.append(reinterpret_cast<const char*>(&header), sizeof header);
      report.append(record.text);
    }
  }
  return report;
}

std::vector<std::vector<Record>> Decode(std::string_view report, size_t count) {
  std::vector<std::vector<Record>> sinks(count);
  while (!report.empty()) {
    Header header;
    memcpy(&header, report.data(), sizeof header);
    report.remove_prefix(sizeof header);
    const std::string text(report.substr(0, header.size));
    sinks.at(header.sink).push_back({header.stream, header.ending, text});
    report.remove_prefix(header.size);
  }
  return sinks;
}

std::string_view Terminator(Ending ending) {
  switch (ending) {
    case Ending::kLf:
      return "\n";
    case Ending::kCr:
      return "\r";
    case Ending::kNone:
    case Ending::kSplit:
      return "";
  }
  return "?";
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Record& record) {
  const char* const endings[] = {"?", "LF", "CR", "NONE", "SPLIT"};
  return out << (record.stream == Stream::kStdout ? "out" : "err") << " "
             << endings[static_cast<int>(record.ending)] << " "
             << ::testing::PrintToString(record.text);
}

void Recorder::Write(std::span<const Line> lines) noexcept {
  std::lock_guard lock(mutex_);
  for (const Line& line : lines) {
    records_.push_back({line.stream, line.ending, std::string(line.text)});
  }
  changed_.notify_all();
}

bool Recorder::TryWrite(std::span<const Line> lines) noexcept {
  {
    std::lock_guard lock(mutex_);
    if (!takes_waiting_text_) return false;
  }
  Write(lines);
  return true;
}

void Recorder::TakeWaitingText() {
  std::lock_guard lock(mutex_);
  takes_waiting_text_ = true;
}

void Recorder::WaitFor(const std::function<bool(const std::vector<Record>&)>& done) {
  std::unique_lock lock(mutex_);
  const bool came =
      changed_.wait_for(lock, std::chrono::seconds(30), [&] { return done(records_); });
  Require(came, "what was waited for did not reach the sink");
}

std::vector<Record> Recorder::records() const {
  std::lock_guard lock(mutex_);
  return records_;
}

Observation ObserveSinks(size_t count, const std::function<void(std::deque<Recorder>&)>& body) {
  const jobtail::testing::Outcome outcome = jobtail::testing::RunInChild([&] {
    std::deque<Recorder> sinks(count);
    body(sinks);
    return Encode(sinks);
  });
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_FALSE(outcome.timed_out) << outcome.err;
  return {Decode(outcome.report, count), outcome.out, outcome.err};
}

Observation Observe(const std::function<void(Recorder& sink)>& body) {
  return ObserveSinks(1, [&](std::deque<Recorder>& sinks) { body(sinks[0]); });
}

void Require(bool condition, const char* what) {
  if (condition) return;
  const std::string message = std::string("required: ") + what + "\n";
  syscall(SYS_write, STDERR_FILENO, message.data(), message.size());  // past all capturing
  _exit(1);
}

std::string Join(std::span<const Record> records, Stream stream) {
  std::string bytes;
  for (const Record& record : records) {
    if (record.stream == stream) bytes.append(record.text).append(Terminator(record.ending));
  }
  return bytes;
}

}  // namespace jobtail::capture
