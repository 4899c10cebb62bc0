// Reads logs from the database.
#ifndef JOBTAIL_SERVER_STORE_ROCKSDB_LOG_READER_H_
#define JOBTAIL_SERVER_STORE_ROCKSDB_LOG_READER_H_

#include <cstdint>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/log/log_store.h"
#include "server/store/index_cursor.h"
#include "server/store/rocksdb_damage_reports.h"
#include "server/store/rocksdb_database.h"
#include "server/store/rocksdb_reopenable.h"
#include "server/store/store_keys.h"

namespace jobtail {

// What LogStore promises about reading, with a run's key in place of its id: there, each function
// is described. What is read is a batch decompressed, each time anew, or a block of the database's
// cache where it was not compressed.
//
// Damage costs what is damaged: a batch that cannot be read is passed over and reported; without
// its index a log is read more slowly, and sizes are counted instead of looked up.
//
// A store owns it; `database` and `damage` outlive it. It has no state: thread-safe.
class RocksDbLogReader {
 public:
  RocksDbLogReader(const ReopenableDatabase* database, DamageReports* damage)
      : database_(database), damage_(damage) {}

  // `once`: what is read takes no place in the database's cache.
  absl::StatusOr<Batch> Read(std::string_view run_key, int64_t sequence, bool once = false) const;
  std::optional<LogStore::CompressedBatch> ReadCompressed(std::string_view run_key,
                                                          int64_t sequence) const;
  absl::StatusOr<Batch> FindTime(std::string_view run_key, int64_t unix_nanos) const;
  absl::StatusOr<int64_t> FindBytes(std::string_view run_key, int64_t bytes) const;

  absl::StatusOr<IndexEntry> Oldest(std::string_view run_key) const;
  // Of the log from `oldest`, as Oldest has returned it, to `newest`.
  absl::StatusOr<LogExtent> Extent(std::string_view run_key, const IndexEntry& oldest,
                                   const IndexEntry& newest) const;

 private:
  using Predicate = absl::FunctionRef<bool(const IndexEntry&)>;

  absl::StatusOr<Batch> ReadIn(const Database* database, std::string_view run_key, int64_t sequence,
                               bool once) const;
  static absl::StatusOr<IndexEntry> FindFirst(IndexCursor* cursor, Predicate wanted);

  const ReopenableDatabase* const database_;
  DamageReports* const damage_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_ROCKSDB_LOG_READER_H_
