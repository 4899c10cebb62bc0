#include "server/run/log_sink.h"

#include "absl/container/inlined_vector.h"

namespace jobtail {
namespace {

using TextLines = absl::InlinedVector<TextLine, 64>;

// The enumerations agree in their values.
static_assert(static_cast<int>(capture::Stream::kStdout) == v1::STREAM_STDOUT);
static_assert(static_cast<int>(capture::Stream::kStderr) == v1::STREAM_STDERR);
static_assert(static_cast<int>(capture::Ending::kLf) == v1::ENDING_LF);
static_assert(static_cast<int>(capture::Ending::kCr) == v1::ENDING_CR);
static_assert(static_cast<int>(capture::Ending::kNone) == v1::ENDING_NONE);
static_assert(static_cast<int>(capture::Ending::kSplit) == v1::ENDING_SPLIT);

TextLines Convert(std::span<const capture::Line> lines) {
  TextLines converted;
  for (const capture::Line& line : lines) {
    converted.push_back({static_cast<v1::Stream>(line.stream), static_cast<v1::Ending>(line.ending),
                         line.time_unix_nanos, line.text});
  }
  return converted;
}

}  // namespace

void LogSink::Write(std::span<const capture::Line> lines) noexcept { log_->Append(Convert(lines)); }

bool LogSink::TryWrite(std::span<const capture::Line> lines) noexcept {
  return log_->TryAppend(Convert(lines));
}

}  // namespace jobtail
