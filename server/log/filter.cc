// Which lines a reader wants.
#include "server/log/filter.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/log/record.h"

namespace jobtail {
namespace {

constexpr int64_t kMaxPatternMemory = 8 << 20;
constexpr size_t kMaxPatternBytes = 4096;
constexpr int kMaxProgramSize = 1000;
constexpr size_t kShownBytes = 100;

absl::Status Refuse(const std::string& pattern, const std::string& what,
                    const std::string& remedy) {
  return absl::InvalidArgumentError(
      absl::StrCat("pattern \"", absl::CHexEscape(pattern.substr(0, kShownBytes)),
                   pattern.size() > kShownBytes ? "\"..." : "\"", ": ", what, "; ", remedy));
}

absl::StatusOr<std::unique_ptr<const RE2>> Compile(const std::string& pattern) {
  if (pattern.size() > kMaxPatternBytes) {
    return absl::InvalidArgumentError(absl::StrCat("pattern: ", pattern.size(), " bytes; at most ",
                                                   kMaxPatternBytes, " are allowed"));
  }
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);  // lines are bytes, not always UTF-8
  for (const char c : pattern) {
    if (static_cast<unsigned char>(c) >= 0x80) options.set_encoding(RE2::Options::EncodingUTF8);
  }
  options.set_max_mem(kMaxPatternMemory);
  options.set_log_errors(false);
  auto compiled = std::make_unique<const RE2>(pattern, options);
  if (!compiled->ok()) {
    return Refuse(pattern, absl::CHexEscape(compiled->error().substr(0, kShownBytes)),
                  "see RE2's syntax");
  }
  // The time for a byte of text is at worst proportional to these.
  const int size = std::max(compiled->ProgramSize(), compiled->ReverseProgramSize());
  if (size > kMaxProgramSize) {
    return Refuse(pattern, absl::StrCat("too costly (", size, " steps)"),
                  absl::StrCat("at most ", kMaxProgramSize, "; repeat less"));
  }
  return compiled;
}

}  // namespace

absl::StatusOr<std::unique_ptr<const LogFilter>> LogFilter::Make(
    const v1::TailLogRequest& request) {
  if (request.streams().empty() && request.pattern().empty()) return nullptr;
  std::unique_ptr<LogFilter> filter(new LogFilter);
  if (!request.streams().empty()) filter->stdout_ = filter->stderr_ = false;
  for (const int stream : request.streams()) {
    if (stream != v1::STREAM_STDOUT && stream != v1::STREAM_STDERR) {
      return absl::InvalidArgumentError(absl::StrCat(
          "streams: ", stream, " is no stream; use STREAM_STDOUT (1), STREAM_STDERR (2), or none"));
    }
    (stream == v1::STREAM_STDOUT ? filter->stdout_ : filter->stderr_) = true;
  }
  if (!request.pattern().empty()) {
    auto pattern = Compile(request.pattern());
    if (!pattern.ok()) return pattern.status();
    filter->pattern_ = *std::move(pattern);
  }
  return filter;
}

bool LogFilter::Passes(const v1::LogLine& line) const {
  if (!line.has_text() && !line.has_raw()) return true;
  if (!(line.stream() == v1::STREAM_STDERR ? stderr_ : stdout_)) return false;
  return !pattern_ || RE2::PartialMatch(line.has_text() ? line.text() : line.raw(), *pattern_);
}

void LogFilter::Apply(const Slice& slice, std::vector<Slice>* out) const {
  RecordWalker walker(slice.view());
  v1::LogLine line;
  const char* const begin = slice.buffer->data();
  bool extend = false;  // the previous element passed: one slice for both
  while (walker.Next()) {
    const std::string_view payload = walker.payload();
    const bool passes =
        line.ParseFromArray(payload.data(), static_cast<int>(payload.size())) && Passes(line);
    const std::string_view element = walker.element();
    if (passes && extend) {
      out->back().size += element.size();
    } else if (passes) {
      out->push_back({slice.buffer, static_cast<size_t>(element.data() - begin), element.size()});
    }
    extend = passes;
  }
}

}  // namespace jobtail
