// From what capture calls a line to what a log does.
#include "server/run/log_sink.h"

#include "absl/container/inlined_vector.h"
#include "absl/types/span.h"

namespace jobtail {
namespace {

// The enumerations agree in their values, as far as capture's goes.
static_assert(static_cast<int>(capture::Stream::kStdout) == v1::STREAM_STDOUT);
static_assert(static_cast<int>(capture::Stream::kStderr) == v1::STREAM_STDERR);
static_assert(static_cast<int>(capture::Ending::kLf) == v1::ENDING_LF);
static_assert(static_cast<int>(capture::Ending::kCr) == v1::ENDING_CR);
static_assert(static_cast<int>(capture::Ending::kNone) == v1::ENDING_NONE);
static_assert(static_cast<int>(capture::Ending::kSplit) == v1::ENDING_SPLIT);

// To capture, the "\r" of "\r\n" is the end of the text.
TextLine Convert(const capture::Line& line) {
  TextLine text{static_cast<v1::Stream>(line.stream), static_cast<v1::Ending>(line.ending),
                line.time_unix_nanos, line.text};
  if (line.ending == capture::Ending::kLf && line.text.ends_with('\r')) {
    text.ending = v1::ENDING_CRLF;
    text.text.remove_suffix(1);
  }
  return text;
}

// What `use`, which takes a span of them, returns. Most lines come alone.
template <typename Use>
auto WithConverted(std::span<const capture::Line> lines, Use use) {
  if (lines.size() == 1) {
    const TextLine line = Convert(lines.front());
    return use(absl::MakeConstSpan(&line, 1));
  }
  absl::InlinedVector<TextLine, 64> converted;
  for (const capture::Line& line : lines) converted.push_back(Convert(line));
  return use(absl::MakeConstSpan(converted));
}

}  // namespace

void LogSink::Write(std::span<const capture::Line> lines) noexcept {
  WithConverted(lines, [this](absl::Span<const TextLine> text) { log_->Append(text); });
}

bool LogSink::TryWrite(std::span<const capture::Line> lines) noexcept {
  return WithConverted(lines,
                       [this](absl::Span<const TextLine> text) { return log_->TryAppend(text); });
}

}  // namespace jobtail
