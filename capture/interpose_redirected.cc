// What a job asks of its descriptors 1 and 2 besides printing: it is answered by what the job has
// led them to. Where that is the sink, they are no file: they have no size and no position,
// whatever the process's are.

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>

#include "capture/current.h"
#include "capture/descriptor_names.h"
#include "capture/interpose.h"
#include "capture/readable.h"
#include "capture/real.h"
#include "capture/target.h"

namespace jobtail::capture::internal {

void LinkRedirected() {}

namespace {

// What is told of the job's `fd`: a sink is as a pipe, where the process's own is a file.
template <typename Mode, typename Size, typename Blocks>
int Told(int fd, int result, Mode* mode, Size* size, Blocks* blocks) {
  if (result != 0 || !S_ISREG(*mode) || !DescriptorTarget(fd).IsCaptured()) return result;
  *mode = static_cast<Mode>((*mode & ~S_IFMT) | S_IFIFO);
  *size = 0;
  *blocks = 0;
  return result;
}

// Whether it is about one of the job's own 1 and 2, or a copy, and not about a path.
bool IsOfOwn(int fd, const char* path, int flags) {
  if (!current.thread || (flags & AT_EMPTY_PATH) == 0) return false;
  if (path && (Readable::Bytes(path, 1) == 0 || *path != '\0')) return false;
  return DescriptorTarget(fd).IsCaptured() || JobsDescriptor(fd) != fd;
}

}  // namespace

// NOLINTBEGIN(bugprone-macro-parentheses): lists of parameters and arguments come with theirs.
// On what the job's `fd` is.
#define JOBTAIL_INTERPOSE_ON(name, parameters, arguments) \
  JOBTAIL_INTERPOSE(int, name, parameters) { return Real<#name, int parameters>() arguments; }

// The same, where the sink's answer is an error.
#define JOBTAIL_INTERPOSE_ON_FILE(result, name, parameters, arguments, error) \
  JOBTAIL_INTERPOSE(result, name, parameters) {                               \
    if (DescriptorTarget(fd).IsCaptured()) return errno = error, -1;          \
    return Real<#name, result parameters>() arguments;                        \
  }

JOBTAIL_INTERPOSE_ON_FILE(int, ftruncate, (int fd, off64_t size), (JobsDescriptor(fd), size),
                          EINVAL)
JOBTAIL_INTERPOSE_ON_FILE(int, ftruncate64, (int fd, off64_t size), (JobsDescriptor(fd), size),
                          EINVAL)
JOBTAIL_INTERPOSE_ON_FILE(off64_t, lseek, (int fd, off64_t offset, int whence),
                          (JobsDescriptor(fd), offset, whence), ESPIPE)
JOBTAIL_INTERPOSE_ON_FILE(off64_t, lseek64, (int fd, off64_t offset, int whence),
                          (JobsDescriptor(fd), offset, whence), ESPIPE)
JOBTAIL_INTERPOSE_ON_FILE(int, fallocate, (int fd, int mode, off64_t offset, off64_t size),
                          (JobsDescriptor(fd), mode, offset, size), ESPIPE)
JOBTAIL_INTERPOSE_ON_FILE(int, fallocate64, (int fd, int mode, off64_t offset, off64_t size),
                          (JobsDescriptor(fd), mode, offset, size), ESPIPE)
#define JOBTAIL_INTERPOSE_STAT(name, type)                                      \
  JOBTAIL_INTERPOSE(int, name, (int fd, type* out)) {                           \
    const int result = Real<#name, int(int, type*)>()(JobsDescriptor(fd), out); \
    return Told(fd, result, &out->st_mode, &out->st_size, &out->st_blocks);     \
  }
JOBTAIL_INTERPOSE_STAT(fstat, struct stat)
JOBTAIL_INTERPOSE_STAT(fstat64, struct stat64)
#define JOBTAIL_INTERPOSE_STAT_AT(name, type)                                      \
  JOBTAIL_INTERPOSE(int, name, (int fd, const char* path, type* out, int flags)) { \
    const auto real = Real<#name, int(int, const char*, type*, int)>();            \
    if (!IsOfOwn(fd, path, flags)) return real(fd, path, out, flags);              \
    const int result = real(JobsDescriptor(fd), "", out, flags);                   \
    return Told(fd, result, &out->st_mode, &out->st_size, &out->st_blocks);        \
  }
JOBTAIL_INTERPOSE_STAT_AT(fstatat, struct stat)
JOBTAIL_INTERPOSE_STAT_AT(fstatat64, struct stat64)
JOBTAIL_INTERPOSE(int, statx,
                  (int fd, const char* path, int flags, unsigned mask, struct statx* out)) {
  const auto real = Real<"statx", int(int, const char*, int, unsigned, struct statx*)>();
  if (!IsOfOwn(fd, path, flags)) return real(fd, path, flags, mask, out);
  const int result = real(JobsDescriptor(fd), "", flags, mask, out);
  return Told(fd, result, &out->stx_mode, &out->stx_size, &out->stx_blocks);
}
JOBTAIL_INTERPOSE_ON(fsync, (int fd), (JobsDescriptor(fd)))
JOBTAIL_INTERPOSE_ON(fdatasync, (int fd), (JobsDescriptor(fd)))
JOBTAIL_INTERPOSE_ON(isatty, (int fd), (JobsDescriptor(fd)))
// A sink is nobody else's: it takes them, and nothing is changed.
#define JOBTAIL_INTERPOSE_OF_OWN(name, parameters, arguments) \
  JOBTAIL_INTERPOSE(int, name, parameters) {                  \
    if (DescriptorTarget(fd).IsCaptured()) return 0;          \
    return Real<#name, int parameters>() arguments;           \
  }
JOBTAIL_INTERPOSE_OF_OWN(fchmod, (int fd, mode_t mode), (JobsDescriptor(fd), mode))
JOBTAIL_INTERPOSE_OF_OWN(fchown, (int fd, uid_t user, gid_t group),
                         (JobsDescriptor(fd), user, group))
JOBTAIL_INTERPOSE_OF_OWN(flock, (int fd, int operation), (JobsDescriptor(fd), operation))
JOBTAIL_INTERPOSE_OF_OWN(futimens, (int fd, const timespec times[2]), (JobsDescriptor(fd), times))
// They return the error.
#define JOBTAIL_INTERPOSE_ALLOCATE(name)                                                \
  JOBTAIL_INTERPOSE(int, name, (int fd, off64_t offset, off64_t size)) {                \
    if (DescriptorTarget(fd).IsCaptured()) return ESPIPE;                               \
    return Real<#name, int(int, off64_t, off64_t)>()(JobsDescriptor(fd), offset, size); \
  }
JOBTAIL_INTERPOSE_ALLOCATE(posix_fallocate)
JOBTAIL_INTERPOSE_ALLOCATE(posix_fallocate64)

JOBTAIL_INTERPOSE(int, ioctl, (int fd, unsigned long request, ...)) {
  va_list arguments;
  va_start(arguments, request);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  // The process's would not block any more, for anybody.
  if (request == FIONBIO && DescriptorTarget(fd).IsCaptured()) return 0;
  return Real<"ioctl", int(int, unsigned long, ...)>()(JobsDescriptor(fd), request, argument);
}
// NOLINTEND(bugprone-macro-parentheses)

// By a name of what the job prints to, as by its number.
#define JOBTAIL_INTERPOSE_TRUNCATE(name)                                      \
  JOBTAIL_INTERPOSE(int, name, (const char* path, off64_t size)) {            \
    if (current.thread && path) {                                             \
      const auto fd = NamedDescriptor(AT_FDCWD, path);                        \
      if (fd && Copies::Find(*fd) != Stream{}) return ftruncate64(*fd, size); \
    }                                                                         \
    return Real<#name, int(const char*, off64_t)>()(path, size);              \
  }
JOBTAIL_INTERPOSE_TRUNCATE(truncate)
JOBTAIL_INTERPOSE_TRUNCATE(truncate64)

// The streams: a position is the job's own file's.

#define JOBTAIL_INTERPOSE_SEEK(name, offset_type)                                      \
  JOBTAIL_INTERPOSE(int, name, (FILE * file, offset_type offset, int whence)) {        \
    const FileTarget target(file);                                                     \
    if (target.IsCaptured()) return errno = ESPIPE, -1;                                \
    return Real<#name, int(FILE*, offset_type, int)>()(target.file(), offset, whence); \
  }
JOBTAIL_INTERPOSE_SEEK(fseek, long)
JOBTAIL_INTERPOSE_SEEK(fseeko, off64_t)
JOBTAIL_INTERPOSE_SEEK(fseeko64, off64_t)

#define JOBTAIL_INTERPOSE_TELL(name, offset_type)            \
  JOBTAIL_INTERPOSE(offset_type, name, (FILE * file)) {      \
    const FileTarget target(file);                           \
    if (target.IsCaptured()) return errno = ESPIPE, -1;      \
    return Real<#name, offset_type(FILE*)>()(target.file()); \
  }
JOBTAIL_INTERPOSE_TELL(ftell, long)
JOBTAIL_INTERPOSE_TELL(ftello, off64_t)
JOBTAIL_INTERPOSE_TELL(ftello64, off64_t)

#define JOBTAIL_INTERPOSE_POSITION(name, type)                       \
  JOBTAIL_INTERPOSE(int, name, (FILE * file, type position)) {       \
    const FileTarget target(file);                                   \
    if (target.IsCaptured()) return errno = ESPIPE, -1;              \
    return Real<#name, int(FILE*, type)>()(target.file(), position); \
  }
JOBTAIL_INTERPOSE_POSITION(fgetpos, fpos_t*)
JOBTAIL_INTERPOSE_POSITION(fgetpos64, fpos64_t*)
JOBTAIL_INTERPOSE_POSITION(fsetpos, const fpos_t*)
JOBTAIL_INTERPOSE_POSITION(fsetpos64, const fpos64_t*)

JOBTAIL_INTERPOSE(void, rewind, (FILE * file)) {
  const FileTarget target(file);
  if (!target.IsCaptured()) Real<"rewind", void(FILE*)>()(target.file());
}

JOBTAIL_INTERPOSE(int, ferror, (FILE * file)) {
  const FileTarget target(file);
  return target.IsCaptured() ? 0 : Real<"ferror", int(FILE*)>()(target.file());
}

JOBTAIL_INTERPOSE(void, clearerr, (FILE * file)) {
  const FileTarget target(file);
  if (!target.IsCaptured()) Real<"clearerr", void(FILE*)>()(target.file());
}

}  // namespace jobtail::capture::internal
