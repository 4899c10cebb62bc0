#ifndef JOBTAIL_SERVER_LOG_JOURNAL_H_
#define JOBTAIL_SERVER_LOG_JOURNAL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/log/batch.h"

namespace jobtail {

// A small file that batches wait in until something larger has taken them over: writing to it is
// one copy into memory that the file is mapped to. What Write has accepted survives the end of the
// process at any moment, but not that of the machine: nothing here is forced onto the disk.
//
// The file has two halves of fixed size. One is written to from front to back; when it is full and
// everything in the other has been released, they change places. docs/log-format.md describes the
// bytes. Thread-safe.
class Journal {
 public:
  struct Entry {
    std::string run;
    Batch batch;
  };
  using Half = size_t;  // 0 or 1

  // Opens the file or makes it. `bytes` is the size of both halves together, always the same for
  // one file. UNAVAILABLE if the file cannot be opened, or not be made that long.
  static absl::StatusOr<std::unique_ptr<Journal>> Open(const std::string& path, size_t bytes);
  ~Journal();

  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // What lay in the file when it was opened, in the order in which it was written: of each half all
  // up to the first entry that is torn. Some of it may have been released. To be called before
  // Write. UNAVAILABLE if the file cannot be read.
  absl::StatusOr<std::vector<Entry>> Recovered() const;

  // Forgets all that was recovered, on the disk as well. To be called before Write.
  absl::Status Clear();

  // Writes the batch and returns where, for Release; nullopt if there is no room for it before
  // something is released, or if the system refuses.
  std::optional<Half> Write(std::string_view run_key, const Batch& batch);

  // A batch that was written to this half is no longer needed.
  void Release(Half half);

 private:
  Journal(int fd, size_t half_bytes, char* mapping)
      : fd_(fd), half_bytes_(half_bytes), mapping_(mapping) {}

  bool Store(std::string_view frame, size_t offset) const;
  absl::StatusOr<std::string> ReadHalf(Half half) const;
  bool MakeRoomLocked(size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const int fd_;
  const size_t half_bytes_;
  char* const mapping_;  // of both halves; null where the file system has none

  mutable absl::Mutex mutex_;
  Half half_ ABSL_GUARDED_BY(mutex_) = 0;      // that is written to
  size_t offset_ ABSL_GUARDED_BY(mutex_) = 0;  // in it
  int64_t epoch_ ABSL_GUARDED_BY(mutex_) = 0;
  std::array<int64_t, 2> in_use_ ABSL_GUARDED_BY(mutex_) = {};  // not yet released, by half
  std::string frame_ ABSL_GUARDED_BY(mutex_);                   // kept for its memory
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_JOURNAL_H_
