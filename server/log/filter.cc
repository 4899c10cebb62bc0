// Which lines a reader wants, as its request says.
#include "server/log/filter.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/log/filter_pass.h"

namespace jobtail {

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
    auto pattern = Pattern::Make(request.pattern());
    if (!pattern.ok()) return pattern.status();
    filter->pattern_ = *std::move(pattern);
  }
  return filter;
}

void LogFilter::Apply(const Slice& slice, std::vector<Slice>* out) const {
  FilterPass pass(this);
  pass.Apply(slice, nullptr, out);
  pass.End(out);
}

}  // namespace jobtail
