// The filter of a log's lines by stream and pattern.
#ifndef JOBTAIL_SERVER_LOG_FILTER_H_
#define JOBTAIL_SERVER_LOG_FILTER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "jobtail/v1/job_service.pb.h"
#include "re2/re2.h"
#include "server/log/batch.h"

namespace jobtail {

// Which lines a reader wants. The only part of the way of a line that parses records, and only for
// readers that filter. Immutable, hence thread-safe.
class LogFilter {
 public:
  // The filter of `request`; null if it wants every line. INVALID_ARGUMENT for a pattern that is
  // not RE2 syntax or too costly, and for an unknown stream.
  static absl::StatusOr<std::unique_ptr<const LogFilter>> Make(const v1::TailLogRequest& request);

  // Appends to `*out` the elements of `slice` that pass, without copying them.
  void Apply(const Slice& slice, std::vector<Slice>* out) const;

 private:
  LogFilter() = default;
  bool Passes(const v1::LogLine& line) const;

  bool stdout_ = true;
  bool stderr_ = true;
  std::unique_ptr<const RE2> pattern_;  // null: any text
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_FILTER_H_
