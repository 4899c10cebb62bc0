// A small file that batches wait in until the database has taken them over.
#ifndef JOBTAIL_SERVER_LOG_JOURNAL_H_
#define JOBTAIL_SERVER_LOG_JOURNAL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/log/batch.h"

namespace jobtail {

// Writing to it is one copy into memory that the file is mapped to, where the file system keeps
// pages that it has allocated where they are (ext4, xfs, tmpfs), and a call to the system
// elsewhere. What Write has accepted survives the end of the process at any moment, but not that of
// the machine: nothing here is forced onto the disk (docs/decisions/0021).
//
// The file has a header and two halves of fixed size. One half is written to from front to back;
// when it is full and everything in the other has been released, they change places.
// docs/log-format.md describes the bytes, and ReadJournal (journal_reader.h) reads them.
//
// A store owns it. Thread-safe.
class Journal {
 public:
  using Half = size_t;  // 0 or 1

  // Makes the file, or empties it, whatever is in it. `bytes` is the size of both halves together.
  // UNAVAILABLE if the file cannot be opened, is a symbolic link or somebody else's, or cannot be
  // made that long.
  static absl::StatusOr<std::unique_ptr<Journal>> Create(const std::string& path, size_t bytes);
  ~Journal();

  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Writes the batch and returns where, for Release; nullopt if there is no room for it before
  // something is released, or if the system refuses.
  std::optional<Half> Write(std::string_view run_key, const Batch& batch);

  // A batch that was written to this half is no longer needed.
  void Release(Half half);

 private:
  Journal(int fd, size_t half_bytes, char* mapping)
      : fd_(fd), half_bytes_(half_bytes), mapping_(mapping) {}

  size_t Position(Half half, size_t offset) const;
  bool Store(std::string_view frame, size_t position) const;
  bool MakeRoomLocked(size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const int fd_;
  const size_t half_bytes_;
  char* const mapping_;  // of the whole file; null where writing there could fail

  absl::Mutex mutex_;
  Half half_ ABSL_GUARDED_BY(mutex_) = 0;      // that is written to
  size_t offset_ ABSL_GUARDED_BY(mutex_) = 0;  // in it
  int64_t epoch_ ABSL_GUARDED_BY(mutex_) = 0;
  std::array<int64_t, 2> in_use_ ABSL_GUARDED_BY(mutex_) = {};  // not yet released, by half
  std::string frame_ ABSL_GUARDED_BY(mutex_);                   // kept for its memory
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_JOURNAL_H_
