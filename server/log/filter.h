// The filter of a log's lines by stream and pattern.
#ifndef JOBTAIL_SERVER_LOG_FILTER_H_
#define JOBTAIL_SERVER_LOG_FILTER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "jobtail/v1/job_service.pb.h"
#include "server/log/batch.h"
#include "server/log/pattern.h"

namespace jobtail {

// How much a search may do before others have a turn: so many bytes, or so long, whichever is
// sooner. Used by one thread.
class SearchBudget {
 public:
  // `clock` outlives it.
  SearchBudget(const Clock* clock, size_t bytes, absl::Duration time)
      : clock_(clock), bytes_(bytes), deadline_(clock->Steady() + time) {}

  void Spend(size_t bytes) { spent_ += bytes; }
  bool IsSpent() const { return spent_ >= bytes_ || clock_->Steady() >= deadline_; }

 private:
  const Clock* const clock_;
  const size_t bytes_;
  const absl::Duration deadline_;
  size_t spent_ = 0;
};

// Which lines a reader wants. The only part of the way of a line that looks into records, and only
// for readers that filter. A pattern is looked for in many records at once, where that is quicker
// (see Sieve); what passes does not depend on it. Immutable, hence thread-safe.
class LogFilter {
 public:
  // The filter of `request`; null if it wants every line. INVALID_ARGUMENT for a pattern that is
  // not RE2 syntax or too costly, and for an unknown stream.
  static absl::StatusOr<std::unique_ptr<const LogFilter>> Make(const v1::TailLogRequest& request);

  // Appends to `*out` the elements of `slice` that pass, without copying them. If the budget is
  // spent before the end, which is looked at after each 16 KiB or record that is longer, returns
  // the number of the last record that it has come to. Null: no bound.
  std::optional<int64_t> Apply(const Slice& slice, SearchBudget* budget,
                               std::vector<Slice>* out) const;
  void Apply(const Slice& slice, std::vector<Slice>* out) const { Apply(slice, nullptr, out); }

 private:
  class Search;

  LogFilter() = default;
  bool Wants(v1::Stream stream) const { return stream == v1::STREAM_STDERR ? stderr_ : stdout_; }

  bool stdout_ = true;
  bool stderr_ = true;
  std::optional<Pattern> pattern_;  // none: any text
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_FILTER_H_
