// What a job asks of its descriptors 1 and 2 besides printing: it is answered by what the job has
// led them to. Where that is the sink, they are no file: they have no size and no position,
// whatever the process's are.

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>

#include "capture/current.h"
#include "capture/descriptor_names.h"
#include "capture/interpose.h"
#include "capture/real.h"
#include "capture/target.h"

namespace jobtail::capture::internal {

void LinkRedirected() {}

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
JOBTAIL_INTERPOSE_ON(fstat, (int fd, struct stat* out), (JobsDescriptor(fd), out))
JOBTAIL_INTERPOSE_ON(fstat64, (int fd, struct stat64* out), (JobsDescriptor(fd), out))
JOBTAIL_INTERPOSE_ON(fsync, (int fd), (JobsDescriptor(fd)))
JOBTAIL_INTERPOSE_ON(fdatasync, (int fd), (JobsDescriptor(fd)))
JOBTAIL_INTERPOSE_ON(fchmod, (int fd, mode_t mode), (JobsDescriptor(fd), mode))
JOBTAIL_INTERPOSE_ON(fchown, (int fd, uid_t user, gid_t group), (JobsDescriptor(fd), user, group))
JOBTAIL_INTERPOSE_ON(flock, (int fd, int operation), (JobsDescriptor(fd), operation))
JOBTAIL_INTERPOSE_ON(isatty, (int fd), (JobsDescriptor(fd)))
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
