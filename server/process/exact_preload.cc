// A small library for the programs of a job with exact order (LD_PRELOAD): what their stdout and
// stderr are, datagram sockets, suits nearly every program; this makes it suit the others.
//
// - A runtime that asks what kind of socket it has been given, and refuses datagrams (libuv, and so
//   Node), is told that it is a stream.
// - It stays a socket that blocks: one that does not would lose what comes while its queue is full.
//   Nor is it shut down.
// - A write that is larger than a datagram can be becomes several. stdio's, which the C library
//   makes within itself, are kept small: what is long is handed to it in pieces.
// - Opening it anew by a name such as /dev/stdout, which the system refuses for sockets, gives a
//   copy of it.
//
// Needs no library of its own, so that it can be loaded beside any C library, and keeps nothing.
// Thread-safe; and safe in signal handlers, but for stdio, which is not.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

// Those of stdio's functions in programs built with _FORTIFY_SOURCE that no header declares.
extern "C" int __vfprintf_chk(FILE* file, int flag, const char* format, va_list arguments);
extern "C" int __vdprintf_chk(int fd, int flag, const char* format, va_list arguments);
extern "C" int __vsnprintf_chk(char* room, size_t size, int flag, size_t there, const char* format,
                               va_list arguments);

namespace {

// Of a message that is told to be too long: where the server is not root, the system takes some 200
// KiB.
constexpr size_t kPiece = 64 << 10;

// The C library's own function.
#define REAL(name)                                              \
  ([] {                                                         \
    static void* found = nullptr;                               \
    void* function = __atomic_load_n(&found, __ATOMIC_RELAXED); \
    if (!function) {                                            \
      function = dlsym(RTLD_NEXT, #name);                       \
      __atomic_store_n(&found, function, __ATOMIC_RELAXED);     \
    }                                                           \
    return reinterpret_cast<decltype(::name)*>(function);       \
  }())

constexpr int kOutputs[] = {STDOUT_FILENO, STDERR_FILENO};

// What was there when this was loaded, and is what others are compared with: the server's socket.
sockaddr_un server;
socklen_t server_size = 0;

bool IsDatagram(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return REAL(getsockopt)(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM;
}

socklen_t PeerOf(int fd, sockaddr_un* peer) {
  socklen_t size = sizeof *peer;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(peer), &size) != 0) return 0;
  const bool has_name = peer->sun_family == AF_UNIX && size > offsetof(sockaddr_un, sun_path) + 1 &&
                        size <= sizeof *peer && peer->sun_path[0] == '\0';
  return has_name ? size : 0;
}

// Keeps errno.
bool IsOurs(int fd) {
  if (server_size == 0) return false;
  const int error = errno;
  sockaddr_un peer;
  bool is_same = PeerOf(fd, &peer) == server_size;
  for (size_t i = offsetof(sockaddr_un, sun_path); is_same && i < server_size; ++i) {
    is_same = reinterpret_cast<const char*>(&peer)[i] == reinterpret_cast<const char*>(&server)[i];
  }
  errno = error;
  return is_same;
}

__attribute__((constructor)) void Load() {
  const int error = errno;
  REAL(write);  // before a signal handler asks for it
  for (const int fd : kOutputs) {
    if (server_size == 0 && IsDatagram(fd)) server_size = PeerOf(fd, &server);
  }
  errno = error;
}

// The whole of it, in pieces. What was sent before an error is what counts.
ssize_t SendPieces(int fd, const char* bytes, size_t size) {
  auto* const real = REAL(write);
  size_t sent = 0;
  while (sent < size) {
    const size_t piece = size - sent < kPiece ? size - sent : kPiece;
    const ssize_t count = real(fd, bytes + sent, piece);
    if (count < 0 && (errno != EINTR || sent == 0))
      return sent > 0 ? static_cast<ssize_t>(sent) : -1;
    if (count > 0) sent += static_cast<size_t>(count);
  }
  return static_cast<ssize_t>(sent);
}

// A copy of the one of stdout and stderr that `path` leads to, or -1 with ENXIO.
int CopyOf(int directory, const char* path, bool close_on_exec) {
  struct stat wanted;
  struct stat there;
  if (server_size > 0 && fstatat(directory, path, &wanted, 0) == 0 && S_ISSOCK(wanted.st_mode)) {
    for (const int fd : kOutputs) {
      if (fstat(fd, &there) == 0 && there.st_dev == wanted.st_dev &&
          there.st_ino == wanted.st_ino && IsOurs(fd)) {
        return fcntl(fd, close_on_exec ? F_DUPFD_CLOEXEC : F_DUPFD, 0);
      }
    }
  }
  errno = ENXIO;
  return -1;
}

// What opening it gave, or a copy where that was refused as it is for a socket.
int OrCopy(int fd, int directory, const char* path, int flags) {
  if (fd >= 0 || errno != ENXIO || (flags & O_ACCMODE) == O_RDONLY) return fd;
  return CopyOf(directory, path, (flags & O_CLOEXEC) != 0);
}

FILE* Reopen(const char* path, const char* mode) {
  if (mode[0] == 'r' && mode[1] != '+') return nullptr;
  const int fd = CopyOf(AT_FDCWD, path, false);
  return fd < 0 ? nullptr : fdopen(fd, mode);
}

// --- stdio

bool IsOurs(FILE* file) {
  const int error = errno;
  const int fd = fileno(file);
  errno = error;
  return fd >= 0 && IsOurs(fd);
}

// In pieces, between which no other thread prints to the stream. How many bytes were taken.
size_t PrintPieces(FILE* file, const char* bytes, size_t size) {
  size_t printed = 0;
  flockfile(file);
  while (printed < size) {
    const size_t piece = size - printed < kPiece ? size - printed : kPiece;
    const size_t count = REAL(fwrite)(bytes + printed, 1, piece, file);
    printed += count;
    if (count < piece) break;
  }
  funlockfile(file);
  return printed;
}

// Whether `bytes`, `size` of them, are for one of ours and too long for it at once.
bool IsLong(FILE* file, size_t size) { return size > kPiece && IsOurs(file); }

size_t WriteItems(decltype(fwrite)* real, const void* items, size_t size, size_t count,
                  FILE* file) {
  size_t bytes;
  if (__builtin_mul_overflow(size, count, &bytes) || !IsLong(file, bytes)) {
    return real(items, size, count, file);
  }
  return PrintPieces(file, static_cast<const char*>(items), bytes) / size;
}

int Put(decltype(fputs)* real, const char* text, FILE* file) {
  const size_t size = strlen(text);
  if (!IsLong(file, size)) return real(text, file);
  return PrintPieces(file, text, size) == size ? 1 : EOF;
}

// Whether a format can make much: by a text, by a width, or by itself.
bool MayBeLong(const char* format) {
  return strpbrk(format, "sS*123456789") || strlen(format) > kPiece;
}

// How a text is made of a format: as printf does, or as in programs built with _FORTIFY_SOURCE.
struct Formatter {
  int flag = -1;

  int operator()(char* room, size_t size, const char* format, va_list arguments) const {
    va_list own;
    va_copy(own, arguments);
    const int length = flag < 0 ? REAL(vsnprintf)(room, size, format, own)
                                : REAL(__vsnprintf_chk)(room, size, flag, size, format, own);
    va_end(own);
    return length;
  }
};

// What a format makes, if that is long, and `*size` is how long; otherwise null.
char* LongText(const Formatter& make, const char* format, va_list arguments, size_t* size) {
  const int error = errno;  // which "%m" prints
  const int length = make(nullptr, 0, format, arguments);
  errno = error;
  if (length <= static_cast<int>(kPiece)) return nullptr;
  const size_t room = static_cast<size_t>(length) + 1;
  auto* const text = static_cast<char*>(malloc(room));
  errno = error;
  if (!text) return nullptr;
  // Others may have changed meanwhile what it is made of.
  const int made = make(text, room, format, arguments);
  *size = made < 0 ? 0 : made < length ? static_cast<size_t>(made) : room - 1;
  return text;
}

// True if it was printed, and `*result` is what the function returns.
bool PrintLong(const Formatter& make, FILE* file, const char* format, va_list arguments,
               int* result) {
  if (!format || !MayBeLong(format) || !IsOurs(file)) return false;
  size_t size;
  char* const text = LongText(make, format, arguments, &size);
  if (!text) return false;
  *result = PrintPieces(file, text, size) == size ? static_cast<int>(size) : -1;
  free(text);
  return true;
}

bool SendLong(const Formatter& make, int fd, const char* format, va_list arguments, int* result) {
  if (!format || !MayBeLong(format) || !IsOurs(fd)) return false;
  size_t size;
  char* const text = LongText(make, format, arguments, &size);
  if (!text) return false;
  const ssize_t sent = SendPieces(fd, text, size);
  *result = sent == static_cast<ssize_t>(size) ? static_cast<int>(size) : -1;
  free(text);
  return true;
}

bool HasMode(int flags) { return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE; }

}  // namespace

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name,performance-no-int-to-ptr): the C
// library names and types them in its own way.
extern "C" {

int getsockopt(int fd, int level, int name, void* value, socklen_t* size) noexcept {
  const int result = REAL(getsockopt)(fd, level, name, value, size);
  if (result == 0 && level == SOL_SOCKET && name == SO_TYPE && *size == sizeof(int) &&
      *static_cast<int*>(value) == SOCK_DGRAM && IsOurs(fd)) {
    *static_cast<int*>(value) = SOCK_STREAM;
  }
  return result;
}

// What ends a connection would end the output of all who share it.
int shutdown(int fd, int how) noexcept { return IsOurs(fd) ? 0 : REAL(shutdown)(fd, how); }

ssize_t write(int fd, const void* bytes, size_t size) {
  const ssize_t count = REAL(write)(fd, bytes, size);
  if (count >= 0 || errno != EMSGSIZE || !IsOurs(fd)) return count;
  return SendPieces(fd, static_cast<const char*>(bytes), size);
}

ssize_t writev(int fd, const iovec* parts, int count) {
  const ssize_t written = REAL(writev)(fd, parts, count);
  if (written >= 0 || errno != EMSGSIZE || !IsOurs(fd)) return written;
  ssize_t sum = 0;
  for (int i = 0; i < count; ++i) {
    const ssize_t part =
        SendPieces(fd, static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
    if (part < 0) return sum > 0 ? sum : -1;
    sum += part;
    if (static_cast<size_t>(part) < parts[i].iov_len) break;
  }
  return sum;
}

int ioctl(int fd, unsigned long request, ...) noexcept {
  va_list arguments;
  va_start(arguments, request);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  if (request == FIONBIO && IsOurs(fd)) return 0;
  return REAL(ioctl)(fd, request, argument);
}

static int Control(decltype(fcntl)* real, int fd, int command, void* argument) {
  if (command == F_SETFL && IsOurs(fd)) {
    argument = reinterpret_cast<void*>(reinterpret_cast<intptr_t>(argument) & ~O_NONBLOCK);
  }
  return real(fd, command, argument);
}

int fcntl(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  return Control(REAL(fcntl), fd, command, argument);
}

int fcntl64(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  return Control(REAL(fcntl64), fd, command, argument);
}

int openat(int directory, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = HasMode(flags) ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return OrCopy(REAL(openat)(directory, path, flags, mode), directory, path, flags);
}

int openat64(int directory, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = HasMode(flags) ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return OrCopy(REAL(openat64)(directory, path, flags, mode), directory, path, flags);
}

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = HasMode(flags) ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return OrCopy(REAL(open)(path, flags, mode), AT_FDCWD, path, flags);
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = HasMode(flags) ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return OrCopy(REAL(open64)(path, flags, mode), AT_FDCWD, path, flags);
}

// What the four become in programs that are built with _FORTIFY_SOURCE.
int __open_2(const char* path, int flags) { return open(path, flags); }
int __open64_2(const char* path, int flags) { return open64(path, flags); }
int __openat_2(int directory, const char* path, int flags) {
  return openat(directory, path, flags);
}
int __openat64_2(int directory, const char* path, int flags) {
  return openat64(directory, path, flags);
}

FILE* fopen(const char* path, const char* mode) {
  FILE* const file = REAL(fopen)(path, mode);
  return file || errno != ENXIO ? file : Reopen(path, mode);
}

FILE* fopen64(const char* path, const char* mode) {
  FILE* const file = REAL(fopen64)(path, mode);
  return file || errno != ENXIO ? file : Reopen(path, mode);
}

size_t fwrite(const void* items, size_t size, size_t count, FILE* file) {
  return WriteItems(REAL(fwrite), items, size, count, file);
}

size_t fwrite_unlocked(const void* items, size_t size, size_t count, FILE* file) {
  return WriteItems(REAL(fwrite_unlocked), items, size, count, file);
}

int fputs(const char* text, FILE* file) { return Put(REAL(fputs), text, file); }

int fputs_unlocked(const char* text, FILE* file) { return Put(REAL(fputs_unlocked), text, file); }

int puts(const char* text) {
  const size_t size = strlen(text);
  if (!IsLong(stdout, size)) return REAL(puts)(text);
  flockfile(stdout);
  const bool is_whole =
      PrintPieces(stdout, text, size) == size && putc_unlocked('\n', stdout) != EOF;
  funlockfile(stdout);
  return is_whole ? 1 : EOF;
}

// A buffer that is larger would be written at once.
int setvbuf(FILE* file, char* buffer, int mode, size_t size) noexcept {
  return REAL(setvbuf)(file, buffer, mode, IsLong(file, size) ? kPiece : size);
}

void setbuffer(FILE* file, char* buffer, size_t size) noexcept {
  setvbuf(file, buffer, buffer ? _IOFBF : _IONBF, size);
}

int vfprintf(FILE* file, const char* format, va_list arguments) {
  int result;
  if (PrintLong({}, file, format, arguments, &result)) return result;
  return REAL(vfprintf)(file, format, arguments);
}

int vprintf(const char* format, va_list arguments) { return vfprintf(stdout, format, arguments); }

int vdprintf(int fd, const char* format, va_list arguments) {
  int result;
  if (SendLong({}, fd, format, arguments, &result)) return result;
  return REAL(vdprintf)(fd, format, arguments);
}

int __vfprintf_chk(FILE* file, int flag, const char* format, va_list arguments) {
  int result;
  if (PrintLong({flag}, file, format, arguments, &result)) return result;
  return REAL(__vfprintf_chk)(file, flag, format, arguments);
}

int __vprintf_chk(int flag, const char* format, va_list arguments) {
  return __vfprintf_chk(stdout, flag, format, arguments);
}

int __vdprintf_chk(int fd, int flag, const char* format, va_list arguments) {
  int result;
  if (SendLong({flag}, fd, format, arguments, &result)) return result;
  return REAL(__vdprintf_chk)(fd, flag, format, arguments);
}

#define FORWARD(call)          \
  va_list arguments;           \
  va_start(arguments, format); \
  const int result = call;     \
  va_end(arguments);           \
  return result

int fprintf(FILE* file, const char* format, ...) { FORWARD(vfprintf(file, format, arguments)); }

int printf(const char* format, ...) { FORWARD(vfprintf(stdout, format, arguments)); }

int dprintf(int fd, const char* format, ...) { FORWARD(vdprintf(fd, format, arguments)); }

int __fprintf_chk(FILE* file, int flag, const char* format, ...) {
  FORWARD(__vfprintf_chk(file, flag, format, arguments));
}

int __printf_chk(int flag, const char* format, ...) {
  FORWARD(__vfprintf_chk(stdout, flag, format, arguments));
}

int __dprintf_chk(int fd, int flag, const char* format, ...) {
  FORWARD(__vdprintf_chk(fd, flag, format, arguments));
}

}  // extern "C"
// NOLINTEND(readability-inconsistent-declaration-parameter-name,performance-no-int-to-ptr)
