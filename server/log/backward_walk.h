// A log's records from the last to the first.
#ifndef JOBTAIL_SERVER_LOG_BACKWARD_WALK_H_
#define JOBTAIL_SERVER_LOG_BACKWARD_WALK_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "base/codec/log_line.h"
#include "server/log/batch.h"
#include "server/log/log.h"

namespace jobtail {

// Walks back through a log, batch by batch, for what can only be told from what came before: where
// a line has begun. May wait for the store. Not thread-safe.
//
//   BackwardWalk walk(&log, end);
//   while (true) {
//     absl::StatusOr<bool> moved = walk.Next();   // an error of the store
//     if (!moved.ok() || !*moved) break;
//     use(walk.record());
//   }
class BackwardWalk {
 public:
  // Begins behind record `end` - 1. `log` outlives it.
  BackwardWalk(const Log* log, int64_t end) : log_(log), before_(end) {}

  // Moves to the record before. False at the beginning of the log, and where what was before has
  // been deleted. What is damaged is one record, a gap.
  absl::StatusOr<bool> Next();

  // Refers to the walk, until Next.
  const LineView& record() const { return records_.back(); }

  // Of the records that the walk has come to, and of all that it has read to find where damage
  // begins.
  size_t bytes() const { return bytes_; }

 private:
  absl::StatusOr<bool> ReadBatch();
  absl::StatusOr<int64_t> BeginOfDamage(int64_t last);
  absl::StatusOr<int64_t> EndOfBatchAt(int64_t sequence);

  const Log* const log_;
  int64_t before_;  // the first record of part_
  bool is_at_record_ = false;
  size_t bytes_ = 0;
  Slice part_;                     // of a batch, or of a gap: bytes of its own
  std::vector<LineView> records_;  // within part_, that have not been left
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_BACKWARD_WALK_H_
