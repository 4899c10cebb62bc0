// Writing to the journal's file, halves in turn.
#include "server/store/journal.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <spdlog/spdlog.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/store/journal_frame.h"
#include "server/store/own_file.h"

namespace jobtail {
namespace {

bool WriteAll(int fd, std::string_view bytes, size_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
    offset += static_cast<size_t>(written);
  }
  return true;
}

// Whether this part of a mapping can be written to. The system is made to write to every page of
// it: it reports a page that cannot be had, as on a full disk, whereas the processor would end the
// process with SIGBUS. As a rule, pages that could be had stay for as long as a copy takes. Asking
// for the time is the cheapest call that writes, and allowed everywhere.
bool CanBeWritten(char* bytes, size_t size) {
  static const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  for (size_t offset = 0; offset < size;) {
    char* const probe = bytes + std::min(offset, size - sizeof(timespec));
    if (syscall(SYS_clock_gettime, CLOCK_MONOTONIC_COARSE, probe) != 0) return false;
    offset += page - reinterpret_cast<uintptr_t>(bytes + offset) % page;
  }
  return true;
}

size_t FileBytes(size_t half_bytes) { return kJournalHeaderBytes + 2 * half_bytes; }

// Whether a page that the file system has allocated can always be written to: it lies where it lay.
// Elsewhere (btrfs, overlayfs, a network) each writing may need room anew, which a mapping learns
// of by SIGBUS.
bool WritesInPlace(int fd) {
  constexpr decltype(statfs::f_type) kXfs = 0x58465342;
  struct statfs info;
  if (fstatfs(fd, &info) != 0) return false;
  return info.f_type == EXT4_SUPER_MAGIC || info.f_type == TMPFS_MAGIC || info.f_type == kXfs;
}

// Maps the file, with all of its pages allocated. Null where writing to them could fail.
char* Map(int fd, size_t bytes) {
  if (!WritesInPlace(fd) || fallocate(fd, 0, 0, static_cast<off_t>(bytes)) != 0) return nullptr;
  void* const mapping = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return mapping == MAP_FAILED ? nullptr : static_cast<char*>(mapping);
}

// Whatever was in the file is gone, on the disk as well. All but the header is a hole until it is
// allocated or written to.
bool MakeEmpty(size_t half_bytes, int fd) {
  return ftruncate(fd, 0) == 0 && ftruncate(fd, static_cast<off_t>(FileBytes(half_bytes))) == 0 &&
         WriteAll(fd, EncodeJournalHeader(static_cast<int64_t>(half_bytes)), 0) &&
         fdatasync(fd) == 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Journal>> Journal::Create(const std::string& path, size_t bytes,
                                                         SyncFile sync_file, Clock* clock) {
  const auto failed = [&path](const char* what) {
    return absl::UnavailableError(absl::StrCat("journal ", path, ": cannot be ", what, ": ",
                                               strerror(errno),
                                               "; it is to be a file of the server's user, which "
                                               "can read and write it"));
  };
  const int fd = OpenOwnFile(path, O_RDWR | O_CREAT);
  if (fd < 0) return failed("opened");
  const size_t half_bytes = bytes / 2;
  if (!MakeEmpty(half_bytes, fd)) {
    absl::Status status = failed("made");
    close(fd);
    return status;
  }
  if (!sync_file) sync_file = fdatasync;
  return std::unique_ptr<Journal>(
      new Journal(fd, half_bytes, Map(fd, FileBytes(half_bytes)), std::move(sync_file), clock));
}

Journal::~Journal() {
  if (mapping_ != nullptr) munmap(mapping_, FileBytes(half_bytes_));
  close(fd_);
}

size_t Journal::Position(Half half, size_t offset) const {
  return kJournalHeaderBytes + half * half_bytes_ + offset;
}

std::optional<Journal::Half> Journal::Write(std::string_view run_key, const Batch& batch) {
  const size_t size = kFrameHeaderBytes + batch.bytes->size();
  absl::MutexLock lock(&mutex_);
  if (is_broken_ || !MakeRoomLocked(size)) return std::nullopt;
  EncodeFrame(epoch_, run_key, batch, &frame_);
  if (!Store(frame_, Position(half_, offset_))) return std::nullopt;
  offset_ += size;
  ++in_use_[half_];
  sync_.NoteWrite();
  return half_;
}

bool Journal::Sync() {
  const absl::Status synced = sync_.Sync([this] {
    if (sync_file_(fd_) == 0) return absl::OkStatus();
    spdlog::error("journal: cannot be synced: {}; the database takes what it would",
                  strerror(errno));
    absl::MutexLock lock(&mutex_);
    is_broken_ = true;
    return absl::UnavailableError("journal: cannot be synced");
  });
  return synced.ok();
}

// The system has told of the error, and has forgotten it. Whatever the disk has of the file is old,
// or does not count: the half that is written to is begun anew.
void Journal::Mend() {
  {
    absl::MutexLock lock(&mutex_);
    if (!is_broken_ || in_use_ != std::array<int64_t, 2>{}) return;
  }
  if (sync_file_(fd_) != 0) return;
  spdlog::info("journal: can be synced again");
  sync_.Restart();
  absl::MutexLock lock(&mutex_);
  is_broken_ = false;
}

// What the mapping does not take, the file may.
bool Journal::Store(std::string_view frame, size_t position) const {
  if (mapping_ == nullptr || !CanBeWritten(mapping_ + position, frame.size())) {
    return WriteAll(fd_, frame, position);
  }
  frame.copy(mapping_ + position, frame.size());
  return true;
}

// A half is begun anew as soon as nothing in it is in use: what comes often lies in few pages.
bool Journal::MakeRoomLocked(size_t bytes) {
  if (bytes > half_bytes_) return false;
  const bool is_free = in_use_[half_] == 0;
  if (!is_free && offset_ + bytes <= half_bytes_) return true;
  if (!is_free) {
    const Half other = 1 - half_;
    if (in_use_[other] > 0) return false;
    half_ = other;
  }
  // Greater than any before in this file.
  epoch_ = std::max(epoch_ + 1, absl::ToUnixNanos(clock_->Now()));
  offset_ = 0;
  return true;
}

void Journal::Release(Half half) {
  absl::MutexLock lock(&mutex_);
  --in_use_[half];
}

}  // namespace jobtail
