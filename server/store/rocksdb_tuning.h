// How RocksDB is set up for logs, and what its errors are called here.
#ifndef JOBTAIL_SERVER_STORE_ROCKSDB_TUNING_H_
#define JOBTAIL_SERVER_STORE_ROCKSDB_TUNING_H_

#include <rocksdb/cache.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "server/store/rocksdb_options.h"

namespace jobtail {

// The column families, in this order. The last has nothing in it: servers of format 1, which know
// of no version, cannot open a database with a family that they do not know.
enum ColumnFamily { kBatchesFamily, kIndexFamily, kRunsFamily, kFormatFamily, kFamilies };
extern const char* const kFamilyNames[kFamilies];

// Files of a level 0, at which writing is slowed down, and stopped, until they are compacted.
inline constexpr int kLevel0Slowdown = 40;
inline constexpr int kLevel0Stop = 64;

// Whether something is damaged on the disk, or cannot be read from it.
bool IsUnreadable(const rocksdb::Status& status);

// What RocksDB tells of errors on its own threads. What compaction cannot read lets writing go on,
// for which RocksDB would stop all of it; it is reported once. Thread-safe.
class BackgroundErrors : public rocksdb::EventListener {
 public:
  // The first error that has stopped writing; OK if there was none.
  rocksdb::Status First() const;

  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override;
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason reason, rocksdb::Status error,
                            bool* auto_recovery) override;

 private:
  mutable absl::Mutex mutex_;
  rocksdb::Status first_ ABSL_GUARDED_BY(mutex_);
  bool reported_damage_ ABSL_GUARDED_BY(mutex_) = false;
};

// For large values that are written once, in the order of their keys, and for little memory.
rocksdb::DBOptions MakeDbOptions(const RocksDbOptions& options,
                                 std::vector<std::shared_ptr<rocksdb::EventListener>> listeners);
rocksdb::ColumnFamilyOptions MakeFamilyOptions(ColumnFamily family, const RocksDbOptions& options,
                                               const std::shared_ptr<rocksdb::Cache>& cache);

// As LogStore's errors are. `what` is what was tried.
absl::Status ToStatus(const rocksdb::Status& status, const std::string& what);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_ROCKSDB_TUNING_H_
