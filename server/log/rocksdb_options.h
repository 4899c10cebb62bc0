#ifndef JOBTAIL_SERVER_LOG_ROCKSDB_OPTIONS_H_
#define JOBTAIL_SERVER_LOG_ROCKSDB_OPTIONS_H_

#include <rocksdb/cache.h>
#include <rocksdb/options.h>

#include <memory>

#include "absl/status/status.h"
#include "server/log/rocksdb_store.h"

namespace jobtail {

// The column families, in this order.
enum ColumnFamily { kBatchesFamily, kIndexFamily, kRunsFamily, kFamilies };
extern const char* const kFamilyNames[kFamilies];

// How the database is set up: for large values that are written once, in the order of their keys,
// and for little memory.
rocksdb::DBOptions MakeDbOptions(const RocksDbOptions& options);
rocksdb::ColumnFamilyOptions MakeFamilyOptions(ColumnFamily family, const RocksDbOptions& options,
                                               const std::shared_ptr<rocksdb::Cache>& cache);

// As LogStore's errors are. `what` is what was tried.
absl::Status ToStatus(const rocksdb::Status& status, const std::string& what);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_ROCKSDB_OPTIONS_H_
