// A small file that batches wait in until the database has taken them over.
#ifndef JOBTAIL_SERVER_STORE_JOURNAL_H_
#define JOBTAIL_SERVER_STORE_JOURNAL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "server/log/batch.h"
#include "server/store/shared_sync.h"

namespace jobtail {

// Writing to it is one copy into memory that the file is mapped to, where the file system keeps
// pages that it has allocated where they are (ext4, xfs, tmpfs), and a call to the system
// elsewhere. What Write has accepted survives the end of the process at any moment
// (docs/decisions/0021), and that of the machine once Sync has returned.
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
  // made that long. `sync_file` is what Sync calls; null: fdatasync. `clock` outlives the journal.
  using SyncFile = std::function<int(int fd)>;
  static absl::StatusOr<std::unique_ptr<Journal>> Create(const std::string& path, size_t bytes,
                                                         SyncFile sync_file = nullptr,
                                                         Clock* clock = Clock::System());
  ~Journal();

  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Writes the batch and returns where, for Release; nullopt if there is no room for it before
  // something is released, or if the system refuses.
  std::optional<Half> Write(std::string_view run_key, const Batch& batch);

  // Forces onto the disk what Write has accepted; see SharedSync for who waits how long. False if
  // the disk refuses: then nobody knows what it has of what was written since the last sync, and
  // Write accepts nothing until Mend.
  bool Sync();

  // A batch that was written to this half is no longer needed.
  void Release(Half half);

  // To be called now and then: once nothing is needed of what is in the file, an error in syncing
  // it is over if the disk takes a sync.
  void Mend();

 private:
  Journal(int fd, size_t half_bytes, char* mapping, SyncFile sync_file, Clock* clock)
      : fd_(fd),
        half_bytes_(half_bytes),
        mapping_(mapping),
        sync_file_(std::move(sync_file)),
        clock_(clock) {}

  size_t Position(Half half, size_t offset) const;
  bool Store(std::string_view frame, size_t position) const;
  bool MakeRoomLocked(size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const int fd_;
  const size_t half_bytes_;
  char* const mapping_;  // of the whole file; null where writing there could fail
  const SyncFile sync_file_;
  Clock* const clock_;
  SharedSync sync_;

  absl::Mutex mutex_;
  Half half_ ABSL_GUARDED_BY(mutex_) = 0;      // that is written to
  size_t offset_ ABSL_GUARDED_BY(mutex_) = 0;  // in it
  int64_t epoch_ ABSL_GUARDED_BY(mutex_) = 0;
  std::array<int64_t, 2> in_use_ ABSL_GUARDED_BY(mutex_) = {};  // not yet released, by half
  bool is_broken_ ABSL_GUARDED_BY(mutex_) = false;              // a sync has failed
  std::string frame_ ABSL_GUARDED_BY(mutex_);                   // kept for its memory
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_JOURNAL_H_
