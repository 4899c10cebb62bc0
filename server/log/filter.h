// The filter of a log's lines by stream and pattern.
#ifndef JOBTAIL_SERVER_LOG_FILTER_H_
#define JOBTAIL_SERVER_LOG_FILTER_H_

#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "jobtail/v1/job_service.pb.h"
#include "server/log/batch.h"
#include "server/log/pattern.h"

namespace jobtail {

// Which lines a reader wants. The only part of the way of a line that looks into records, and only
// for readers that filter. Immutable, hence thread-safe; FilterPass applies it.
class LogFilter {
 public:
  // The filter of `request`; null if it wants every line. INVALID_ARGUMENT for a pattern that is
  // not RE2 syntax or too costly, and for an unknown stream.
  static absl::StatusOr<std::unique_ptr<const LogFilter>> Make(const v1::TailLogRequest& request);

  bool Wants(v1::Stream stream) const { return stream == v1::STREAM_STDERR ? stderr_ : stdout_; }
  // Null: any text.
  const Pattern* pattern() const { return pattern_ ? &*pattern_ : nullptr; }

  // Appends to `*out` the elements of `slice` that pass, as if it were a whole log.
  void Apply(const Slice& slice, std::vector<Slice>* out) const;

 private:
  LogFilter() = default;

  bool stdout_ = true;
  bool stderr_ = true;
  std::optional<Pattern> pattern_;  // none: any text
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_FILTER_H_
