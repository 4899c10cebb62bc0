// Files of RocksDB that are for the server's user alone.
#ifndef JOBTAIL_SERVER_STORE_ROCKSDB_PRIVATE_FILES_H_
#define JOBTAIL_SERVER_STORE_ROCKSDB_PRIVATE_FILES_H_

#include "server/store/rocksdb_options.h"

namespace rocksdb {
class Env;
}  // namespace rocksdb

namespace jobtail {

// The Env of the options; where they have none, RocksDB's own, except that files are made with mode
// 0600, whatever the umask. (RocksDB's Env::SetAllowNonOwnerAccess, which is there for that,
// changes nothing in 7.8: its files are made by another object than the one that is told.) Lives
// for as long as the process.
rocksdb::Env* EnvOf(const RocksDbOptions& options);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_ROCKSDB_PRIVATE_FILES_H_
