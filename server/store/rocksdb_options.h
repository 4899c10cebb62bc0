// How a database of runs and logs is opened: what somebody who starts a server may want to choose.
#ifndef JOBTAIL_SERVER_STORE_ROCKSDB_OPTIONS_H_
#define JOBTAIL_SERVER_STORE_ROCKSDB_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/time_span.h"

namespace rocksdb {
class Env;
}  // namespace rocksdb

namespace jobtail {

// When what was written is forced onto the disk. Whatever the mode, it survives the end of the
// process at any moment, kill -9 included; the modes differ in what a crash of the machine or a
// loss of power may take.
enum class SyncMode {
  kNone,      // what the system has not written by itself, often half a minute
  kInterval,  // what was written within the last `sync_interval`
  kAlways,    // nothing
};

struct RocksDbOptions {
  std::string directory = {};  // is created where it does not exist
  SyncMode sync = SyncMode::kInterval;
  TimeSpan sync_interval = absl::Seconds(1);
  // Memory: blocks that were read, and what was written and is not in a file of its own yet.
  size_t cache_bytes = size_t{32} << 20;
  size_t write_buffer_bytes = size_t{16} << 20;
  // How many files of the database are kept open.
  int max_open_files = 256;
  // So much is left free on the disk: new data is refused (RESOURCE_EXHAUSTED) before RocksDB
  // itself runs out of room. At most an eighth of the disk.
  uint64_t min_free_bytes = uint64_t{64} << 20;
  // So much is deleted before files are rewritten to give its room back, unless that time passes.
  int64_t reclaim_bytes = int64_t{64} << 20;
  TimeSpan reclaim_delay = absl::Minutes(1);
  // Null: the system's. For tests; outlives the store.
  rocksdb::Env* env = nullptr;
  // Of the store's own work between calls, and of the journal before it. Outlives the store.
  Clock* clock = Clock::System();
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_ROCKSDB_OPTIONS_H_
