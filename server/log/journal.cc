#include "server/log/journal.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/log/crc32c.h"
#include "server/log/store_keys.h"

namespace jobtail {
namespace {

// Checksum, epoch, key and index entry; then the batch's bytes.
constexpr size_t kHeaderBytes = 2 * kNumberBytes + kBatchKeyBytes + kIndexEntryBytes;

void AppendFrame(int64_t epoch, std::string_view run_key, const Batch& batch, std::string* frame) {
  frame->assign(kNumberBytes, '\0');
  AppendNumber(epoch, frame);
  frame->append(run_key);
  AppendNumber(batch.first, frame);
  AppendIndexEntry(MakeIndexEntry(batch, /*offset=*/0), frame);
  frame->append(*batch.bytes);
  std::string checksum;
  AppendNumber(Crc32c(std::string_view(*frame).substr(kNumberBytes)), &checksum);
  frame->replace(0, kNumberBytes, checksum);
}

struct Frame {
  int64_t epoch = 0;
  Journal::Entry entry;
  size_t size = 0;
};

// The frame at the beginning of `bytes`, if there is a sound one.
std::optional<Frame> ParseFrame(std::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return std::nullopt;
  const std::string_view key = bytes.substr(2 * kNumberBytes, kBatchKeyBytes);
  const std::optional<IndexEntry> entry =
      DecodeIndexEntry(key, bytes.substr(2 * kNumberBytes + kBatchKeyBytes, kIndexEntryBytes));
  const size_t room = bytes.size() - kHeaderBytes;
  if (!entry || entry->size < 0 || static_cast<size_t>(entry->size) > room) return std::nullopt;
  const size_t size = kHeaderBytes + static_cast<size_t>(entry->size);
  const std::string_view checked = bytes.substr(kNumberBytes, size - kNumberBytes);
  if (ReadNumber(bytes) != static_cast<int64_t>(Crc32c(checked))) return std::nullopt;
  return Frame{
      ReadNumber(checked),
      {RunOfKey(key),
       {entry->first, entry->last, entry->last_time_unix_nanos, entry->total_lines,
        entry->total_bytes, Share(std::string(bytes.substr(kHeaderBytes, size - kHeaderBytes)))}},
      size};
}

// The frames at the beginning of `half` that belong together. What comes after them is left from
// an earlier round.
std::vector<Frame> ParseHalf(std::string_view half) {
  std::vector<Frame> frames;
  while (std::optional<Frame> frame = ParseFrame(half)) {
    if (!frames.empty() && frame->epoch != frames.front().epoch) break;
    half.remove_prefix(frame->size);
    frames.push_back(*std::move(frame));
  }
  return frames;
}

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

// A hole until it is written to. Nothing is cut off.
bool MakeAsLongAs(size_t bytes, int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0) return false;
  return std::cmp_greater_equal(status.st_size, bytes) ||
         ftruncate(fd, static_cast<off_t>(bytes)) == 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Journal>> Journal::Open(const std::string& path, size_t bytes) {
  const auto failed = [&path](const char* what) {
    return absl::UnavailableError(absl::StrCat("journal ", path, ": cannot be ", what, ": ",
                                               strerror(errno), "; make it readable and writable"));
  };
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return failed("opened");
  if (!MakeAsLongAs(bytes, fd)) {
    absl::Status status = failed("enlarged");
    close(fd);
    return status;
  }
  void* const mapping = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return std::unique_ptr<Journal>(
      new Journal(fd, bytes / 2, mapping == MAP_FAILED ? nullptr : static_cast<char*>(mapping)));
}

Journal::~Journal() {
  if (mapping_ != nullptr) munmap(mapping_, 2 * half_bytes_);
  close(fd_);
}

absl::StatusOr<std::string> Journal::ReadHalf(Half half) const {
  std::string bytes(half_bytes_, '\0');
  size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t count = pread(fd_, &bytes[size], bytes.size() - size,
                                static_cast<off_t>(half * half_bytes_ + size));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      return absl::UnavailableError(absl::StrCat("journal: cannot be read: ", strerror(errno)));
    }
    if (count == 0) break;
    size += static_cast<size_t>(count);
  }
  bytes.resize(size);
  return bytes;
}

absl::StatusOr<std::vector<Journal::Entry>> Journal::Recovered() const {
  std::array<std::vector<Frame>, 2> halves;
  for (const Half half : {Half{0}, Half{1}}) {
    const absl::StatusOr<std::string> bytes = ReadHalf(half);
    if (!bytes.ok()) return bytes.status();
    halves[half] = ParseHalf(*bytes);
  }
  const auto epoch = [](const std::vector<Frame>& frames) {
    return frames.empty() ? 0 : frames.front().epoch;
  };
  if (epoch(halves[0]) > epoch(halves[1])) std::swap(halves[0], halves[1]);
  std::vector<Entry> entries;
  for (std::vector<Frame>& frames : halves) {
    for (Frame& frame : frames) entries.push_back(std::move(frame.entry));
  }
  return entries;
}

absl::Status Journal::Clear() {
  if (ftruncate(fd_, 0) == 0 && MakeAsLongAs(2 * half_bytes_, fd_) && fdatasync(fd_) == 0) {
    return absl::OkStatus();
  }
  return absl::UnavailableError(absl::StrCat("journal: cannot be emptied: ", strerror(errno)));
}

std::optional<Journal::Half> Journal::Write(std::string_view run_key, const Batch& batch) {
  const size_t size = kHeaderBytes + batch.bytes->size();
  absl::MutexLock lock(&mutex_);
  if (!MakeRoomLocked(size)) return std::nullopt;
  AppendFrame(epoch_, run_key, batch, &frame_);
  if (!Store(frame_, half_ * half_bytes_ + offset_)) return std::nullopt;
  offset_ += size;
  ++in_use_[half_];
  return half_;
}

// What the mapping does not take, the file may.
bool Journal::Store(std::string_view frame, size_t offset) const {
  if (mapping_ == nullptr || !CanBeWritten(mapping_ + offset, frame.size())) {
    return WriteAll(fd_, frame, offset);
  }
  frame.copy(mapping_ + offset, frame.size());
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
  // Greater than any before, of former processes too, unless somebody has set the clock back: then
  // it is at least another.
  epoch_ = std::max(epoch_ + 1, absl::GetCurrentTimeNanos());
  offset_ = 0;
  return true;
}

void Journal::Release(Half half) {
  absl::MutexLock lock(&mutex_);
  --in_use_[half];
}

}  // namespace jobtail
