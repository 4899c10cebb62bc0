// Finds batches in one log of the database.
#ifndef JOBTAIL_SERVER_STORE_INDEX_CURSOR_H_
#define JOBTAIL_SERVER_STORE_INDEX_CURSOR_H_

#include <rocksdb/db.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "server/store/rocksdb_damage_reports.h"
#include "server/store/rocksdb_database.h"
#include "server/store/store_keys.h"

namespace jobtail {

// Goes through the index entries of one log, as they were when the cursor was made.
//
// Where the index cannot be believed, the cursor makes entries from the batches themselves, from
// there on and for as long as it lives. That takes longer, and those entries (`is_rebuilt`) have
// neither offset nor totals: offsets of theirs and of others must not be compared. Batches that
// cannot be made sense of either are passed over.
//
// Each function moves to an entry and returns it: NOT_FOUND if there is none, DATA_LOSS if RocksDB
// cannot read the batches. For one thread; `database` and `damage` outlive it.
class IndexCursor {
 public:
  IndexCursor(const Database* database, std::string_view run_key, DamageReports* damage);

  IndexCursor(const IndexCursor&) = delete;
  IndexCursor& operator=(const IndexCursor&) = delete;

  absl::StatusOr<IndexEntry> Oldest();
  absl::StatusOr<IndexEntry> Newest();
  absl::StatusOr<IndexEntry> After(const IndexEntry& entry);
  absl::StatusOr<IndexEntry> Before(const IndexEntry& entry);
  // The entry with `sequence` or, if that is missing, the next.
  absl::StatusOr<IndexEntry> At(int64_t sequence);
  // The last entry that begins with `sequence` or before it.
  absl::StatusOr<IndexEntry> AtOrBefore(int64_t sequence);

  // Whether all entries so far came from the index.
  bool trusts_index() const { return trusts_index_; }

  // What the offset of a rebuilt entry ought to be, counted from the nearest entry before it that
  // the index has, or from the beginning of the log. Moves.
  int64_t CountOffset(const IndexEntry& rebuilt);

 private:
  using Iterator = std::unique_ptr<rocksdb::Iterator>;
  using Step = void (rocksdb::Iterator::*)();

  Iterator Iterate(rocksdb::ColumnFamilyHandle* family) const;
  absl::StatusOr<IndexEntry> Move(absl::FunctionRef<void(rocksdb::Iterator&)> seek, Step onward);
  absl::StatusOr<IndexEntry> Current() const;
  absl::StatusOr<IndexEntry> FromIndex(std::string_view key, std::string_view value) const;

  const Database* const database_;
  DamageReports* const damage_;
  const std::string run_key_;
  const std::string begin_;
  const std::string end_;
  const rocksdb::Slice lower_bound_;
  const rocksdb::Slice upper_bound_;
  Iterator iterator_;
  bool trusts_index_ = true;  // or else iterator_ goes through the batches
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_INDEX_CURSOR_H_
