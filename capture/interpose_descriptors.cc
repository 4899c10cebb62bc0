// System calls that write, on descriptors 1 and 2 and their copies.

#include <fcntl.h>
#include <limits.h>
#include <sys/sendfile.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "capture/interpose.h"
#include "capture/readable.h"
#include "capture/real.h"
#include "capture/target.h"

namespace jobtail::capture::internal {
namespace {

using Write = ssize_t(int, const void*, size_t);

// The most bytes that one system call writes.
constexpr size_t kMaxWrite = 0x7ffff000;

ssize_t Fail(int error) {
  errno = error;
  return -1;
}

// The part of a vector that can be taken.
struct Views {
  std::array<std::string_view, 16> few;
  std::vector<std::string_view> many;
  std::span<std::string_view> all;
  size_t bytes = 0;
};

// Fills `views`, up to the first byte that cannot be read. 0, or an error number as writev has it.
int Look(const iovec* parts, size_t count, Views& views) {
  if (Readable::Bytes(parts, count * sizeof *parts) < count * sizeof *parts) return EFAULT;
  if (count > views.few.size()) views.many.resize(count);
  views.all = count > views.few.size() ? std::span(views.many) : std::span(views.few);
  views.all = views.all.first(count);
  size_t asked = 0;
  for (const iovec& part : std::span(parts, count)) {
    if (part.iov_len > SSIZE_MAX - asked) return EINVAL;
    asked += part.iov_len;
  }
  for (size_t i = 0; i < count; ++i) {
    const size_t size = std::min(parts[i].iov_len, kMaxWrite - views.bytes);
    const size_t readable = Readable::Bytes(parts[i].iov_base, size);
    views.all[i] = {static_cast<const char*>(parts[i].iov_base), readable};
    views.bytes += readable;
    if (readable == size) continue;
    views.all = views.all.first(i + 1);
    return views.bytes == 0 ? EFAULT : 0;
  }
  return 0;
}

// Takes the parts as one piece. What writev is to return; nothing if they are for target.fd().
std::optional<ssize_t> TakeVector(const DescriptorTarget& target, const iovec* parts,
                                  size_t count) {
  if (!target.IsCaptured() || count > IOV_MAX) return std::nullopt;
  Views views;
  if (const int error = Look(parts, count, views)) return Fail(error);
  if (!target.Take(views.all)) return std::nullopt;
  return static_cast<ssize_t>(views.bytes);
}

// The same for write, where not all of the text can be read, or where it is for target.fd().
std::optional<ssize_t> TakeReadable(const DescriptorTarget& target, const void* data, size_t size) {
  const size_t asked = std::min(size, kMaxWrite);
  const size_t bytes = Readable::Bytes(data, asked);
  if (bytes == 0 && asked != 0) return Fail(EFAULT);
  if (!target.Take({static_cast<const char*>(data), bytes})) return std::nullopt;
  return static_cast<ssize_t>(bytes);
}

// The same for write, as `real` does it for the descriptor that it is given.
template <typename Write>
inline ssize_t WriteTo(int fd, const void* data, size_t size, Write write_to) {
  const DescriptorTarget target(fd);
  if (target.IsCaptured()) {
    if (Readable::AllKnown(data, size)) [[likely]] {
      if (target.Take({static_cast<const char*>(data), size})) return static_cast<ssize_t>(size);
    } else if (const auto taken = TakeReadable(target, data, size)) {
      return *taken;
    }
  }
  return write_to(target.fd());
}

// Takes up to `size` bytes that `read` yields, at most 64 KiB, as the system calls that move data
// between descriptors may do. What `read` returned.
template <typename Read>
ssize_t TakeFrom(const DescriptorTarget& target, size_t size, Read read) {
  std::vector<char> space(std::min<size_t>(size, 64 << 10));
  const ssize_t count = read(space.data(), space.size());
  if (count > 0 && !target.Take({space.data(), static_cast<size_t>(count)})) {
    return Real<"write", Write>()(target.fd(), space.data(), static_cast<size_t>(count));
  }
  return count;
}

// Whether there is no offset, or one that can be read.
bool IsOffset(const off64_t* offset) {
  return !offset || Readable::Bytes(offset, sizeof *offset) == sizeof *offset;
}

// From `in`, at `*offset` if there is one, which then moves on.
ssize_t TakeFromFile(const DescriptorTarget& target, int in, off64_t* offset, size_t size) {
  if (!IsOffset(offset)) return Fail(EFAULT);
  return TakeFrom(target, size, [=](char* data, size_t most) {
    if (!offset) return read(in, data, most);
    const ssize_t count = pread64(in, data, most, *offset);
    if (count > 0) *offset += count;
    return count;
  });
}

// The same for a call that has an offset of the output, too. What is taken comes next, whatever
// that is.
ssize_t TakeFromFile(const DescriptorTarget& target, int in, off64_t* in_offset,
                     off64_t* out_offset, size_t size) {
  if (!IsOffset(out_offset)) return Fail(EFAULT);
  const ssize_t count = TakeFromFile(target, in, in_offset, size);
  if (out_offset && count > 0) *out_offset += count;
  return count;
}

}  // namespace

void LinkDescriptors() {}

JOBTAIL_INTERPOSE(ssize_t, write, (int fd, const void* data, size_t size)) {
  return WriteTo(fd, data, size, [=](int to) { return Real<"write", Write>()(to, data, size); });
}

JOBTAIL_INTERPOSE(ssize_t, writev, (int fd, const iovec* parts, int count)) {
  const DescriptorTarget target(fd);
  if (const auto taken = TakeVector(target, parts, static_cast<size_t>(count))) return *taken;
  return Real<"writev", ssize_t(int, const iovec*, int)>()(target.fd(), parts, count);
}

// A log has no offsets: what is written at one comes next.

#define JOBTAIL_INTERPOSE_PWRITE(name)                                                          \
  JOBTAIL_INTERPOSE(ssize_t, name, (int fd, const void* data, size_t size, off64_t offset)) {   \
    return WriteTo(fd, data, size, [=](int to) {                                                \
      return Real<#name, ssize_t(int, const void*, size_t, off64_t)>()(to, data, size, offset); \
    });                                                                                         \
  }
JOBTAIL_INTERPOSE_PWRITE(pwrite)
JOBTAIL_INTERPOSE_PWRITE(pwrite64)

#define JOBTAIL_INTERPOSE_PWRITEV(name)                                                          \
  JOBTAIL_INTERPOSE(ssize_t, name, (int fd, const iovec* parts, int count, off64_t offset)) {    \
    const DescriptorTarget target(fd);                                                           \
    if (const auto taken = TakeVector(target, parts, static_cast<size_t>(count))) return *taken; \
    return Real<#name, ssize_t(int, const iovec*, int, off64_t)>()(target.fd(), parts, count,    \
                                                                   offset);                      \
  }
JOBTAIL_INTERPOSE_PWRITEV(pwritev)
JOBTAIL_INTERPOSE_PWRITEV(pwritev64)

#define JOBTAIL_INTERPOSE_PWRITEV2(name)                                                           \
  JOBTAIL_INTERPOSE(ssize_t, name,                                                                 \
                    (int fd, const iovec* parts, int count, off64_t offset, int flags)) {          \
    const DescriptorTarget target(fd);                                                             \
    if (const auto taken = TakeVector(target, parts, static_cast<size_t>(count))) return *taken;   \
    return Real<#name, ssize_t(int, const iovec*, int, off64_t, int)>()(target.fd(), parts, count, \
                                                                        offset, flags);            \
  }
JOBTAIL_INTERPOSE_PWRITEV2(pwritev2)
JOBTAIL_INTERPOSE_PWRITEV2(pwritev64v2)

#define JOBTAIL_INTERPOSE_SENDFILE(name)                                                      \
  JOBTAIL_INTERPOSE(ssize_t, name, (int out, int in, off64_t* offset, size_t size)) {         \
    const DescriptorTarget target(out);                                                       \
    if (target.IsCaptured()) return TakeFromFile(target, in, offset, size);                   \
    return Real<#name, ssize_t(int, int, off64_t*, size_t)>()(target.fd(), in, offset, size); \
  }
JOBTAIL_INTERPOSE_SENDFILE(sendfile)
JOBTAIL_INTERPOSE_SENDFILE(sendfile64)

JOBTAIL_INTERPOSE(ssize_t, splice,
                  (int in, off64_t* in_offset, int out, off64_t* out_offset, size_t size,
                   unsigned flags)) {
  const DescriptorTarget target(out);
  if (target.IsCaptured()) return TakeFromFile(target, in, in_offset, out_offset, size);
  return Real<"splice", ssize_t(int, off64_t*, int, off64_t*, size_t, unsigned)>()(
      in, in_offset, target.fd(), out_offset, size, flags);
}

// On a pipe or a terminal it fails. Programs that use it know how to go on then, but where the
// process's stdout is a file, they may rely on it.
JOBTAIL_INTERPOSE(ssize_t, copy_file_range,
                  (int in, off64_t* in_offset, int out, off64_t* out_offset, size_t size,
                   unsigned flags)) {
  const DescriptorTarget target(out);
  if (target.IsCaptured() && flags != 0) return Fail(EINVAL);
  if (target.IsCaptured()) return TakeFromFile(target, in, in_offset, out_offset, size);
  return Real<"copy_file_range", ssize_t(int, off64_t*, int, off64_t*, size_t, unsigned)>()(
      in, in_offset, target.fd(), out_offset, size, flags);
}

JOBTAIL_INTERPOSE(ssize_t, vmsplice, (int fd, const iovec* parts, size_t count, unsigned flags)) {
  const DescriptorTarget target(fd);
  if (const auto taken = TakeVector(target, parts, count)) return *taken;
  return Real<"vmsplice", ssize_t(int, const iovec*, size_t, unsigned)>()(target.fd(), parts, count,
                                                                          flags);
}

// Copies between pipes without consuming: into another pipe, and from there.
JOBTAIL_INTERPOSE(ssize_t, tee, (int in, int out, size_t size, unsigned flags)) {
  using Tee = ssize_t(int, int, size_t, unsigned);
  const DescriptorTarget target(out);
  if (!target.IsCaptured()) return Real<"tee", Tee>()(in, target.fd(), size, flags);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  ssize_t count = Real<"tee", Tee>()(in, ends[1], std::min<size_t>(size, 64 << 10), flags);
  const int error = errno;
  close(ends[1]);
  if (count > 0) count = TakeFromFile(target, ends[0], nullptr, static_cast<size_t>(count));
  close(ends[0]);
  if (count < 0) errno = error;
  return count;
}

}  // namespace jobtail::capture::internal
