#ifndef JOBTAIL_SERVER_LOG_INDEX_CURSOR_H_
#define JOBTAIL_SERVER_LOG_INDEX_CURSOR_H_

#include <rocksdb/db.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "server/log/rocksdb_store.h"
#include "server/log/store_keys.h"

namespace jobtail {

// Goes through the index entries of one log, as they were when the cursor was made. Where the index
// is damaged, it makes them from the batches themselves, which takes longer, and without their
// offsets and totals. Each function moves to an entry and returns it: NOT_FOUND if there is none,
// DATA_LOSS if the batches are damaged as well. Not thread-safe.
class IndexCursor {
 public:
  IndexCursor(rocksdb::DB* db, LogFamilies families, std::string_view run_key);

  IndexCursor(const IndexCursor&) = delete;
  IndexCursor& operator=(const IndexCursor&) = delete;

  absl::StatusOr<IndexEntry> Oldest();
  absl::StatusOr<IndexEntry> Newest();
  absl::StatusOr<IndexEntry> After(const IndexEntry& entry);
  // The entry with `sequence` or, if that is missing, the next.
  absl::StatusOr<IndexEntry> At(int64_t sequence);
  // The last entry that begins with `sequence` or before it.
  absl::StatusOr<IndexEntry> AtOrBefore(int64_t sequence);

 private:
  using Iterator = std::unique_ptr<rocksdb::Iterator>;

  Iterator Iterate(rocksdb::ColumnFamilyHandle* family);
  absl::StatusOr<IndexEntry> Move(absl::FunctionRef<void(rocksdb::Iterator&)> seek);
  absl::StatusOr<IndexEntry> Current() const;

  rocksdb::DB* const db_;
  const LogFamilies families_;
  const std::string run_key_;
  const std::string begin_;
  const std::string end_;
  const rocksdb::Slice lower_bound_;
  const rocksdb::Slice upper_bound_;
  Iterator iterator_;
  bool has_index_ = true;  // or else iterator_ goes through the batches
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_INDEX_CURSOR_H_
