// A disk that fails now and then.
#ifndef JOBTAIL_TESTS_SERVER_SUPPORT_FAULTY_DISK_H_
#define JOBTAIL_TESTS_SERVER_SUPPORT_FAULTY_DISK_H_

#include <rocksdb/env.h>
#include <rocksdb/io_status.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace jobtail::testing {

// The files of this machine. The next calls of one kind, on files of one kind, fail as often as a
// test wants it; everything else goes through. Thread-safe.
class FaultyDisk {
 public:
  enum class Call { kOpen, kWrite, kSync, kRead };

  FaultyDisk();

  rocksdb::Env* env() { return env_.get(); }

  // The next `times` calls fail with `error`, on files whose names have `part` in them.
  void FailNext(Call call, const std::string& part, int64_t times,
                rocksdb::IOStatus error = rocksdb::IOStatus::IOError("Input/output error"))
      ABSL_LOCKS_EXCLUDED(mutex_);
  // How many of them are still to come; waits until there are none, or `patience` is over.
  int64_t AwaitFailures(absl::Duration patience) ABSL_LOCKS_EXCLUDED(mutex_);

  // What the call is to return.
  rocksdb::IOStatus On(Call call, const std::string& file) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  class Files;

  bool HasFailedLocked() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return left_ == 0; }

  absl::Mutex mutex_;
  Call call_ ABSL_GUARDED_BY(mutex_) = Call::kOpen;
  std::string part_ ABSL_GUARDED_BY(mutex_);
  int64_t left_ ABSL_GUARDED_BY(mutex_) = 0;
  rocksdb::IOStatus error_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace jobtail::testing

#endif  // JOBTAIL_TESTS_SERVER_SUPPORT_FAULTY_DISK_H_
