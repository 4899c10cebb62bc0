// A disk that is full when a test says so.
#ifndef JOBTAIL_TESTS_SERVER_SUPPORT_FULL_DISK_H_
#define JOBTAIL_TESTS_SERVER_SUPPORT_FULL_DISK_H_

#include <rocksdb/env.h>

#include <atomic>
#include <memory>

namespace jobtail::testing {

// The files of this machine, on a disk that is full whenever a test wants it: RocksDB is told so by
// each write and, if the disk admits it, when it asks for the free room. Thread-safe.
class FullDisk {
 public:
  FullDisk();

  rocksdb::Env* env() { return env_.get(); }

  void SetFull(bool full) { full_ = full; }
  // Whether the disk says how full it is. If not, the first write that fails is the first to know.
  void SetAdmits(bool admits) { admits_ = admits; }
  // Whether it says that nothing is free, and takes what is written all the same: its last room is
  // being used.
  void SetNearlyFull(bool nearly) { nearly_full_ = nearly; }

 private:
  class Files;

  std::atomic<bool> full_ = false;
  std::atomic<bool> admits_ = true;
  std::atomic<bool> nearly_full_ = false;
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace jobtail::testing

#endif  // JOBTAIL_TESTS_SERVER_SUPPORT_FULL_DISK_H_
