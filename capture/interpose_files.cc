// What makes, redirects and closes descriptors: so that copies of 1 and 2 are known for what they
// are, and so that a captured job that redirects its stdout does not take the process's away.

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "capture/descriptor_names.h"
#include "capture/interpose.h"
#include "capture/pump.h"
#include "capture/real.h"
#include "capture/session.h"
#include "capture/target.h"

namespace jobtail::capture::internal {
namespace {

using Open = int(const char*, int, ...);
using OpenAt = int(int, const char*, int, ...);
using Dup = int(int);
using Dup2 = int(int, int);
using Dup3 = int(int, int, int);
using Fcntl = int(int, int, ...);
using Fopen = FILE*(const char*, const char*);
using Freopen = FILE*(const char*, const char*, FILE*);

bool IsStandard(int fd) { return fd == 1 || fd == 2; }

// Whether the calling thread's job is to be kept from the process's own streams.
bool IsCaptured() { return current.thread && !current.thread->IsInside(); }

Redirection& redirection() { return current.thread->session().redirection(); }

// Where the job's descriptor `fd` leads: to the sink, to a file of its own, or nowhere special.
Redirection::Target Resolve(int fd) {
  const Stream stream = Copies::Find(fd);
  if (stream == Stream{}) return {{}, nullptr, fd};
  if (fd > 2) return {stream};
  return redirection().Find(stream);
}

// A new descriptor of what the real 1 or 2 is, known as a copy.
int CopyOf(Stream stream, int flags) {
  const int command = flags & O_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD;
  const int copy = Real<"fcntl64", Fcntl>()(static_cast<int>(stream), command, 3);
  Copies::Set(copy, stream);
  return copy;
}

// What the job has made of its stdout, opened once more: a file has a position of its own then.
int OpenAgain(int fd, int flags, int mode) {
  if (fd < 0) return errno = ENOENT, -1;
  const std::string name = "/proc/self/fd/" + std::to_string(fd);
  return Real<"open64", Open>()(name.c_str(), flags, mode);
}

// Opens a name that means a descriptor of the captured job; nothing if it does not mean one of
// those that this is about. Never truncates what the process prints to.
std::optional<int> OpenNamed(int directory, const char* name, int flags, int mode) {
  if (!IsCaptured() || !name) return std::nullopt;
  const bool reads = (flags & O_ACCMODE) == O_RDONLY;
  if (reads && !(flags & O_TRUNC) && !current.thread->session().HasRedirections()) {
    return std::nullopt;
  }
  const std::optional<int> fd = NamedDescriptor(directory, name);
  if (!fd || Copies::Find(*fd) == Stream{}) return std::nullopt;
  const Redirection::Target target = Resolve(*fd);
  if (target.captured == Stream{}) return OpenAgain(target.fd, flags, mode);
  return reads ? OpenAgain(static_cast<int>(target.captured), flags & ~O_TRUNC, mode)
               : CopyOf(target.captured, flags);
}

template <Name name>
int OpenReal(const char* path, int flags, int mode) {
  if (const std::optional<int> fd = OpenNamed(AT_FDCWD, path, flags, mode)) return *fd;
  const int fd = Real<name, Open>()(path, flags, mode);
  Copies::Set(fd, {});
  return fd;
}

template <Name name>
int OpenAtReal(int directory, const char* path, int flags, int mode) {
  if (const std::optional<int> fd = OpenNamed(directory, path, flags, mode)) return *fd;
  const int fd = Real<name, OpenAt>()(directory, path, flags, mode);
  Copies::Set(fd, {});
  return fd;
}

// The flags of open that a mode of fopen stands for, as far as they matter here.
int FlagsOf(const char* mode) {
  const bool both = strchr(mode, '+');
  int flags = both ? O_RDWR : *mode == 'r' ? O_RDONLY : O_WRONLY;
  if (*mode == 'w') flags |= O_CREAT | O_TRUNC;
  if (*mode == 'a') flags |= O_CREAT | O_APPEND;
  if (strchr(mode, 'e')) flags |= O_CLOEXEC;
  return flags;
}

FILE* OpenFileBy(Fopen* open, const char* path, const char* mode) {
  constexpr int kMode = 0666;
  if (const auto fd = mode ? OpenNamed(AT_FDCWD, path, FlagsOf(mode), kMode) : std::nullopt) {
    return *fd < 0 ? nullptr : fdopen(*fd, mode);
  }
  FILE* const file = open(path, mode);
  if (file) Copies::Set(file->_fileno, {});
  return file;
}

// The slot among stdout and stderr that a captured job's `file` is; 0 if neither.
Stream OwnStream(FILE* file) { return file && IsCaptured() ? StandardStream(file) : Stream{}; }

// The same for one that the job has made of descriptor 1 or 2 itself (fdopen).
Stream OwnDescriptor(FILE* file) {
  const bool own = file && IsCaptured() && StandardStream(file) == Stream{};
  return own && IsStandard(file->_fileno) ? Stream{static_cast<uint8_t>(file->_fileno)} : Stream{};
}

// dup2 of a captured job onto 1 or 2.
int Redirect(int from, int to) {
  const Stream stream{static_cast<uint8_t>(to)};
  const Redirection::Target target = Resolve(from);
  if (target.captured != Stream{}) {
    redirection().ToSink(stream, target.captured);
    return to;
  }
  if (fcntl(target.fd, F_GETFD) < 0) return -1;  // errno is EBADF
  return redirection().ToFile(stream, target.fd) ? to : -1;
}

// freopen on a captured job's stdout or stderr. `path` null: only the mode changes.
FILE* Reopen(Fopen* open, const char* path, const char* mode, FILE* file, Stream stream) {
  if (!path) return file;
  if (const auto fd = NamedDescriptor(AT_FDCWD, path); fd && Copies::Find(*fd) != Stream{}) {
    const Redirection::Target target = Resolve(*fd);
    if (target.captured != Stream{}) {
      redirection().ToSink(stream, target.captured);
      return file;
    }
    if (target.fd < 0) {
      redirection().Close(stream);
      return errno = ENOENT, nullptr;
    }
  }
  FILE* const opened = OpenFileBy(open, path, mode);
  if (!opened) {
    redirection().Close(stream);  // as the C library does
    return nullptr;
  }
  const bool leads_there = redirection().ToFile(stream, opened->_fileno);
  Real<"fclose", int(FILE*)>()(opened);
  return leads_there ? file : nullptr;
}

template <Name name, Name open>
FILE* ReopenReal(const char* path, const char* mode, FILE* file) {
  Stream stream = OwnStream(file);
  if (stream == Stream{}) stream = OwnDescriptor(file);
  if (stream != Stream{}) return Reopen(Real<open, Fopen>(), path, mode, file, stream);
  if (file) Copies::Set(file->_fileno, {});
  return Real<name, Freopen>()(path, mode, file);
}

// Copies a descriptor by `duplicate(from)`, where `from` may be one of a captured job.
template <typename Duplicate>
int Copy(int from, Duplicate duplicate) {
  Redirection::Target target{Copies::Find(from), nullptr, from};
  if (IsCaptured()) target = Resolve(from);
  const Stream captured = target.captured;
  int source = target.fd;
  if (captured != Stream{}) source = from > 2 ? from : static_cast<int>(captured);
  const int to = duplicate(source);
  if (to >= 0) Copies::Set(to, captured);
  return to;
}

}  // namespace

void LinkFiles() {}

// --- Opening

#define JOBTAIL_MODE_OF(flags)             \
  int mode = 0;                            \
  if ((flags) & (O_CREAT | __O_TMPFILE)) { \
    va_list arguments;                     \
    va_start(arguments, flags);            \
    mode = va_arg(arguments, int);         \
    va_end(arguments);                     \
  }

#define JOBTAIL_INTERPOSE_OPEN(name)                                 \
  JOBTAIL_INTERPOSE(int, name, (const char* path, int flags, ...)) { \
    JOBTAIL_MODE_OF(flags)                                           \
    return OpenReal<#name>(path, flags, mode);                       \
  }
#define JOBTAIL_INTERPOSE_OPENAT(name)                                              \
  JOBTAIL_INTERPOSE(int, name, (int directory, const char* path, int flags, ...)) { \
    JOBTAIL_MODE_OF(flags)                                                          \
    return OpenAtReal<#name>(directory, path, flags, mode);                         \
  }

JOBTAIL_INTERPOSE_OPEN(open)
JOBTAIL_INTERPOSE_OPEN(open64)
JOBTAIL_INTERPOSE_OPENAT(openat)
JOBTAIL_INTERPOSE_OPENAT(openat64)

#define JOBTAIL_INTERPOSE_CREAT(name, open)                                            \
  JOBTAIL_INTERPOSE(int, name, (const char* path, mode_t mode)) {                      \
    return OpenReal<open>(path, O_CREAT | O_WRONLY | O_TRUNC, static_cast<int>(mode)); \
  }
JOBTAIL_INTERPOSE_CREAT(creat, "open")
JOBTAIL_INTERPOSE_CREAT(creat64, "open64")

// What _FORTIFY_SOURCE makes of open without a mode.
JOBTAIL_INTERPOSE(int, __open_2, (const char* path, int flags)) {
  return OpenReal<"__open_2">(path, flags, 0);
}
JOBTAIL_INTERPOSE(int, __open64_2, (const char* path, int flags)) {
  return OpenReal<"__open64_2">(path, flags, 0);
}
JOBTAIL_INTERPOSE(int, __openat_2, (int directory, const char* path, int flags)) {
  return OpenAtReal<"__openat_2">(directory, path, flags, 0);
}
JOBTAIL_INTERPOSE(int, __openat64_2, (int directory, const char* path, int flags)) {
  return OpenAtReal<"__openat64_2">(directory, path, flags, 0);
}

JOBTAIL_INTERPOSE(FILE*, fopen, (const char* path, const char* mode)) {
  return OpenFileBy(Real<"fopen", Fopen>(), path, mode);
}
JOBTAIL_INTERPOSE(FILE*, fopen64, (const char* path, const char* mode)) {
  return OpenFileBy(Real<"fopen64", Fopen>(), path, mode);
}
JOBTAIL_INTERPOSE(FILE*, freopen, (const char* path, const char* mode, FILE* file)) {
  return ReopenReal<"freopen", "fopen">(path, mode, file);
}
JOBTAIL_INTERPOSE(FILE*, freopen64, (const char* path, const char* mode, FILE* file)) {
  return ReopenReal<"freopen64", "fopen64">(path, mode, file);
}

// --- Copying

JOBTAIL_INTERPOSE(int, dup, (int from)) {
  return Copy(from, [](int fd) { return Real<"dup", Dup>()(fd); });
}

JOBTAIL_INTERPOSE(int, dup2, (int from, int to)) {
  if (IsStandard(to) && IsCaptured()) return from == to ? to : Redirect(from, to);
  return Copy(from, [to](int fd) { return Real<"dup2", Dup2>()(fd, to); });
}

JOBTAIL_INTERPOSE(int, dup3, (int from, int to, int flags)) {
  if (IsStandard(to) && from != to && IsCaptured()) return Redirect(from, to);
  return Copy(from, [=](int fd) { return Real<"dup3", Dup3>()(fd, to, flags); });
}

#define JOBTAIL_INTERPOSE_FCNTL(name)                                                         \
  JOBTAIL_INTERPOSE(int, name, (int fd, int command, ...)) {                                  \
    va_list arguments;                                                                        \
    va_start(arguments, command);                                                             \
    void* const argument = va_arg(arguments, void*);                                          \
    va_end(arguments);                                                                        \
    if (command != F_DUPFD && command != F_DUPFD_CLOEXEC) {                                   \
      return Real<#name, Fcntl>()(JobsDescriptor(fd), command, argument);                     \
    }                                                                                         \
    return Copy(fd, [=](int from) { return Real<#name, Fcntl>()(from, command, argument); }); \
  }
JOBTAIL_INTERPOSE_FCNTL(fcntl)
JOBTAIL_INTERPOSE_FCNTL(fcntl64)

// --- Closing

// Whether it is one of those by which a job with a table of its own is captured.
static bool IsKept(int fd) {
  const auto pump = Pump::OwnOfThisThread();
  if (!pump) return false;
  const auto own = pump->OwnDescriptors();
  return std::count(own.begin(), own.end(), fd) > 0;
}

JOBTAIL_INTERPOSE(int, close, (int fd)) {
  if (IsStandard(fd) && IsCaptured()) {
    const Stream stream{static_cast<uint8_t>(fd)};
    if (Resolve(fd).captured == Stream{} && Resolve(fd).fd < 0) return errno = EBADF, -1;
    current.thread->Flush(stream);
    redirection().Close(stream);
    return 0;
  }
  if (current.real && IsKept(fd)) return errno = EBADF, -1;
  Copies::Set(fd, {});
  return Real<"close", int(int)>()(fd);
}

// A FILE that the job has made of descriptor 1 or 2 closes that for its own run.
static int CloseOwnDescriptor(FILE* file, Stream stream) {
  const int stand_in = Real<"open64", Open>()("/dev/null", O_WRONLY | O_CLOEXEC);
  if (stand_in < 0) return EOF;
  file->_fileno = stand_in;
  const int result = Real<"fclose", int(FILE*)>()(file);
  return close(static_cast<int>(stream)) == 0 ? result : EOF;
}

JOBTAIL_INTERPOSE(int, fclose, (FILE * file)) {
  if (const Stream own = OwnDescriptor(file); own != Stream{}) return CloseOwnDescriptor(file, own);
  const Stream stream = OwnStream(file);
  if (stream != Stream{}) {
    current.thread->Flush(stream);
    redirection().Close(stream);
    return 0;
  }
  if (!file) return Real<"fclose", int(FILE*)>()(file);
  if (const std::optional<int> status = ClosePipe(file)) return *status;
  Copies::Set(file->_fileno, {});
  return Real<"fclose", int(FILE*)>()(file);
}

// Closes a range of descriptors of a captured job's own table, but for those by which it is
// captured.
static int CloseAllBut(std::vector<int> kept, unsigned first, unsigned last, int flags) {
  const auto close_range = Real<"close_range", int(unsigned, unsigned, int)>();
  std::sort(kept.begin(), kept.end());
  int result = 0;
  for (const int keep : kept) {
    const auto fd = static_cast<unsigned>(keep);
    if (fd < first) continue;
    if (fd > last) break;
    if (fd > first && close_range(first, fd - 1, flags) != 0) result = -1;
    first = fd + 1;
  }
  if (first <= last && close_range(first, last, flags) != 0) result = -1;
  return result;
}

// The two that close many: a captured job's 1 and 2 stay the process's.
JOBTAIL_INTERPOSE(int, close_range, (unsigned first, unsigned last, int flags)) {
  if (!(flags & CLOSE_RANGE_CLOEXEC)) {
    const unsigned end = last < Copies::kTracked ? last + 1 : Copies::kTracked;
    for (unsigned fd = first; fd < end; ++fd) Copies::Set(static_cast<int>(fd), {});
    if (first <= 2 && IsCaptured()) {
      for (unsigned fd = first; fd <= 2 && fd <= last; ++fd) close(static_cast<int>(fd));
      if (last <= 2) return 0;
      first = 3;
    }
    if (const auto pump = Pump::OwnOfThisThread()) {
      return CloseAllBut(pump->OwnDescriptors(), first, last, flags);
    }
  }
  return Real<"close_range", int(unsigned, unsigned, int)>()(first, last, flags);
}

JOBTAIL_INTERPOSE(void, closefrom, (int first)) {
  close_range(first < 0 ? 0 : static_cast<unsigned>(first), UINT_MAX, 0);
}

// --- Buffers. What is captured is cut into lines and has none; the process's stay as they are.

JOBTAIL_INTERPOSE(int, setvbuf, (FILE * file, char* buffer, int mode, size_t size)) {
  FileTarget target(file);
  if (target.IsCaptured()) return 0;
  return Real<"setvbuf", int(FILE*, char*, int, size_t)>()(target.file(), buffer, mode, size);
}

JOBTAIL_INTERPOSE(void, setbuf, (FILE * file, char* buffer)) {
  FileTarget target(file);
  if (!target.IsCaptured()) Real<"setbuf", void(FILE*, char*)>()(target.file(), buffer);
}

JOBTAIL_INTERPOSE(void, setbuffer, (FILE * file, char* buffer, size_t size)) {
  FileTarget target(file);
  if (!target.IsCaptured()) {
    Real<"setbuffer", void(FILE*, char*, size_t)>()(target.file(), buffer, size);
  }
}

JOBTAIL_INTERPOSE(void, setlinebuf, (FILE * file)) {
  FileTarget target(file);
  if (!target.IsCaptured()) Real<"setlinebuf", void(FILE*)>()(target.file());
}

// --- Streams that the library has put in place of stdout and stderr have no descriptor.

JOBTAIL_INTERPOSE(int, fileno, (FILE * file)) {
  const Stream stream = file ? StandardStream(file) : Stream{};
  if (stream != Stream{} && replaced_files[0].instead.load(std::memory_order_relaxed)) {
    return static_cast<int>(stream);
  }
  return Real<"fileno", int(FILE*)>()(file);
}

JOBTAIL_INTERPOSE(int, fileno_unlocked, (FILE * file)) { return fileno(file); }

}  // namespace jobtail::capture::internal
