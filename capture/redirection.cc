// Where a captured job has led its stdout and stderr.

#include "capture/redirection.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include "capture/cancellation.h"
#include "capture/real.h"

namespace jobtail::capture::internal {
namespace {

int OpenNull(int access = O_WRONLY) {
  return Real<"open64", int(const char*, int, ...)>()("/dev/null", access | O_CLOEXEC);
}

// What a stream is whose descriptor was closed: one of a descriptor that nothing can be written to
// (EBADF), whether bytes or wide characters.
FILE* ClosedFile() {
  static FILE* const file = [] {
    FILE* const closed = fdopen(OpenNull(), "w");
    if (!closed) return closed;
    Real<"setvbuf", int(FILE*, char*, int, size_t)>()(closed, nullptr, _IONBF, 0);
    const int read_only = OpenNull(O_RDONLY);
    Real<"dup3", int(int, int, int)>()(read_only, closed->_fileno, O_CLOEXEC);
    Real<"close", int(int)>()(read_only);
    return closed;
  }();
  return file;
}

}  // namespace

Redirection::~Redirection() {
  for (Slot& slot : slots_) {
    if (slot.file) Real<"fclose", int(FILE*)>()(slot.file);
  }
}

Redirection::Target Redirection::Find(Stream stream) const {
  const Slot& slot = slots_[stream == Stream::kStderr];
  switch (const Leads leads = slot.leads.load(std::memory_order_acquire)) {
    case Leads::kToFile:
      return {{}, slot.file, slot.file->_fileno};
    case Leads::kNowhere:
      return {{}, ClosedFile(), -1};
    default:
      return {Stream{static_cast<uint8_t>(leads)}};
  }
}

void Redirection::Set(Slot& slot, Leads leads) {
  slot.leads.store(leads, std::memory_order_release);
  any_.store(slots_[0].leads.load() != Leads::kToStdout ||
             slots_[1].leads.load() != Leads::kToStderr);
}

// What the stream led to is closed, but its FILE and its descriptor stay: another thread may be
// printing to them.
void Redirection::CloseFile(Slot& slot) {
  if (slot.leads.load() != Leads::kToFile) return;
  const int null = OpenNull();
  PointFile(slot, null);
  if (null >= 0) Real<"close", int(int)>()(null);
}

void Redirection::PointFile(Slot& slot, int fd) {
  Real<"fflush", int(FILE*)>()(slot.file);
  if (fd >= 0) Real<"dup3", int(int, int, int)>()(fd, slot.file->_fileno, O_CLOEXEC);
}

void Redirection::ToSink(Stream stream, Stream captured) {
  const NoCancellation no_cancellation;
  std::lock_guard lock(mutex_);
  Slot& slot = this->slot(stream);
  CloseFile(slot);
  Set(slot, Leads{static_cast<uint8_t>(captured)});
}

bool Redirection::ToFile(Stream stream, int fd) {
  const NoCancellation no_cancellation;
  std::lock_guard lock(mutex_);
  Slot& slot = this->slot(stream);
  if (!slot.file) {
    // Of a descriptor that can certainly be written to, whatever `fd` can.
    const int null = OpenNull();
    slot.file = null < 0 ? nullptr : fdopen(null, "w");
    if (!slot.file) return false;
    if (stream == Stream::kStderr) {
      Real<"setvbuf", int(FILE*, char*, int, size_t)>()(slot.file, nullptr, _IONBF, 0);
    }
  }
  PointFile(slot, fd);
  Set(slot, Leads::kToFile);
  return true;
}

void Redirection::Close(Stream stream) {
  const NoCancellation no_cancellation;
  std::lock_guard lock(mutex_);
  Slot& slot = this->slot(stream);
  CloseFile(slot);
  Set(slot, Leads::kNowhere);
}

void Redirection::Reset() {
  if (!Any()) return;
  ToSink(Stream::kStdout, Stream::kStdout);
  ToSink(Stream::kStderr, Stream::kStderr);
}

}  // namespace jobtail::capture::internal
