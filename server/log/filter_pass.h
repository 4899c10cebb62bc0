// One look through a log with a filter, from a record on.
#ifndef JOBTAIL_SERVER_LOG_FILTER_PASS_H_
#define JOBTAIL_SERVER_LOG_FILTER_PASS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "base/clock.h"
#include "server/log/batch.h"
#include "server/log/filter.h"
#include "server/log/joined_lines.h"

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

// Finds the lines of a log that pass a filter. A line that came in several records passes with all
// of them, or with none: see JoinedLines. A pattern is looked for in many records at once, where
// that is quicker (see Sieve); what passes does not depend on it.
//
// Given a log's records in order, with nothing left out. A value; not thread-safe.
class FilterPass {
 public:
  // `filter` outlives it.
  explicit FilterPass(const LogFilter* filter) : filter_(filter) {}

  // Text of a line that is unfinished where this begins; the line's beginning first.
  void Remember(v1::Stream stream, std::string_view text) { lines_.Remember(stream, text); }

  // Appends to `*out` the elements of `slice` that pass, without copying them where nothing is
  // held. If the budget is spent before the end, which is looked at after each 16 KiB or record
  // that is longer, returns the number of the last record that it has come to. Null: no bound.
  std::optional<int64_t> Apply(const Slice& slice, SearchBudget* budget, std::vector<Slice>* out);

  // There is nothing more for now, or at all: appends what is known by that to pass.
  void Settle(std::vector<Slice>* out);
  void End(std::vector<Slice>* out);
  // Appends what is held up, without what holds it up.
  void GiveUp(std::vector<Slice>* out) { lines_.GiveUp(out); }

  // Whether it is within a line.
  bool IsWithinLine() const { return lines_.HasOpen(); }
  // Whether something that passes waits for whether what is before it does.
  bool IsHoldingUp() const { return lines_.IsHoldingUp(); }
  // The first record that may yet pass; 0 if there is none.
  int64_t first_held() const { return lines_.first_held(); }

 private:
  class Search;

  const LogFilter* filter_;
  JoinedLines lines_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_FILTER_PASS_H_
