// Pipes, sockets and terminals for a command's standard descriptors.

#include "server/process/outputs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>

#include <cerrno>
#include <functional>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"

namespace jobtail::process {
namespace {

// MFD_NOEXEC_SEAL and MFD_EXEC, which Debian 12's headers do not have.
constexpr unsigned kNoExecSeal = 8;
constexpr unsigned kExec = 16;

// How many descriptors are open at once while a command is started.
constexpr size_t kToStart = 16;

constexpr mode_t kSlaveFlags = O_RDWR | O_NOCTTY | O_CLOEXEC;

absl::StatusOr<Output> OpenPipe(capture::Stream stream, Descriptor* theirs) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return SystemError("no pipe");
  *theirs = Descriptor(ends[1]);
  Output output;
  output.fd = Descriptor(ends[0]);
  output.stream = stream;
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return output;
}

absl::Status OpenPipes(Outputs* outputs) {
  for (const auto stream : {capture::Stream::kStdout, capture::Stream::kStderr}) {
    auto output = OpenPipe(stream, &outputs->theirs[static_cast<size_t>(stream)]);
    if (!output.ok()) return output.status();
    outputs->ours.push_back(*std::move(output));
  }
  return absl::OkStatus();
}

// A datagram socket with an abstract name that the system chooses.
Descriptor OpenSocket() {
  Descriptor fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un any{};
  any.sun_family = AF_UNIX;
  if (fd.ok() && bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof(sa_family_t))) {
    fd.Close();
  }
  return fd;
}

std::string NameOf(const sockaddr_un& address, socklen_t size) {
  constexpr size_t kOffset = offsetof(sockaddr_un, sun_path);
  return size <= kOffset ? "" : std::string(address.sun_path, size - kOffset);
}

std::string OwnName(int fd) {
  sockaddr_un address{};
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return NameOf(address, size);
}

// A socket whose every write is a datagram to `receiver`.
Descriptor OpenSender(const sockaddr_un& receiver, socklen_t size) {
  Descriptor fd = OpenSocket();
  if (!fd.ok()) return fd;
  // So that what is longer fails, and is not cut off where it is read: the kernel doubles what it
  // is told, and takes messages of 32 bytes less. With root's rights beyond the system's limit.
  const int bytes = static_cast<int>(kMaxDatagramBytes + 32) / 2;
  if (setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) != 0) {
    setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  }
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&receiver), size) != 0) fd.Close();
  shutdown(fd.get(), SHUT_RD);
  return fd;
}

absl::Status OpenDatagrams(Outputs* outputs) {
  Output output;
  output.datagrams = true;
  output.fd = OpenSocket();
  if (!output.fd.ok()) return SystemError("no socket");
  sockaddr_un address{};
  socklen_t size = sizeof address;
  getsockname(output.fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
  for (const size_t stream : {1, 2}) {
    Descriptor& theirs = outputs->theirs[stream];
    theirs = OpenSender(address, size);
    if (!theirs.ok()) return SystemError("no socket");
    output.senders[stream - 1] = Descriptor(fcntl(theirs.get(), F_DUPFD_CLOEXEC, 0));
    if (!output.senders[stream - 1].ok()) return SystemError("no descriptor");
  }
  output.output_address = OwnName(outputs->theirs[1].get());
  output.error_address = OwnName(outputs->theirs[2].get());
  fcntl(output.fd.get(), F_SETFL, O_NONBLOCK);
  outputs->ours.push_back(std::move(output));
  return absl::OkStatus();
}

// What is printed comes as it is, without "\r" before each "\n"; what nobody types is not echoed.
void SetTerminal(int fd) {
  termios settings{};
  if (tcgetattr(fd, &settings) == 0) {
    settings.c_oflag &= ~static_cast<tcflag_t>(ONLCR);
    settings.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL);
    tcsetattr(fd, TCSANOW, &settings);
  }
  const winsize size{.ws_row = 24, .ws_col = 80, .ws_xpixel = 0, .ws_ypixel = 0};
  ioctl(fd, TIOCSWINSZ, &size);
}

absl::Status OpenTerminal(Outputs* outputs) {
  Output output;
  output.fd = Descriptor(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  std::array<char, 64> name{};
  if (!output.fd.ok() || grantpt(output.fd.get()) != 0 || unlockpt(output.fd.get()) != 0 ||
      ptsname_r(output.fd.get(), name.data(), name.size()) != 0) {
    return SystemError("no terminal");
  }
  for (Descriptor& fd : {std::ref(outputs->theirs[1]), std::ref(outputs->theirs[2])}) {
    fd = Descriptor(open(name.data(), static_cast<int>(kSlaveFlags)));
    if (!fd.ok()) return SystemError("no terminal");
  }
  output.terminal = Descriptor(fcntl(outputs->theirs[1].get(), F_DUPFD_CLOEXEC, 0));
  if (!output.terminal.ok()) return SystemError("no descriptor");
  SetTerminal(outputs->theirs[1].get());
  fcntl(output.fd.get(), F_SETFL, O_NONBLOCK);
  outputs->ours.push_back(std::move(output));
  return absl::OkStatus();
}

// `executable` says whether it may ever be executed. Before Linux 6.3 the system does not ask;
// where vm.memfd_noexec is 2 it refuses one that may.
Descriptor OpenMemory(const char* name, unsigned executable) {
  Descriptor fd(memfd_create(name, MFD_CLOEXEC | executable));
  if (!fd.ok() && errno == EINVAL) fd = Descriptor(memfd_create(name, MFD_CLOEXEC));
  return fd;
}

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = write(fd, bytes.data(), bytes.size());
    if (size <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(size));
  }
  return true;
}

// Open for reading alone, since nothing is executed that somebody could write.
Descriptor MakeProgramIn(const char* directory, const std::string& bytes) {
  const Descriptor file(open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0500));
  if (!file.ok() || !WriteAll(file.get(), bytes)) return Descriptor();
  const std::string path = absl::StrCat("/proc/self/fd/", file.get());
  if (access(path.c_str(), X_OK) != 0) return Descriptor();  // mounted with noexec
  return Descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

absl::Status Open(OutputMode mode, Outputs* outputs) {
  switch (mode) {
    case OutputMode::kExact:
      return OpenDatagrams(outputs);
    case OutputMode::kTerminal:
      return OpenTerminal(outputs);
    case OutputMode::kPipes:
      break;
  }
  return OpenPipes(outputs);
}

}  // namespace

absl::Status SystemError(const char* what) {
  return absl::ResourceExhaustedError(
      absl::StrCat(what, " for the run: ", strerror(errno), "; try again when fewer are running"));
}

absl::Status CheckDescriptors() {
  std::array<Descriptor, kToStart> descriptors;
  descriptors[0] = Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC));
  for (size_t i = 1; i < kToStart && descriptors[i - 1].ok(); ++i) {
    descriptors[i] = Descriptor(fcntl(descriptors[0].get(), F_DUPFD_CLOEXEC, 0));
  }
  if (descriptors.back().ok()) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      "the server has no descriptors left to start a run with; try again when fewer runs and "
      "clients are there, or raise its limit of open files (ulimit -n)");
}

absl::StatusOr<Descriptor> MakeFile(const char* name, const std::string& bytes) {
  Descriptor fd = OpenMemory(name, kNoExecSeal);
  if (!fd.ok() || !WriteAll(fd.get(), bytes)) return SystemError("no file in memory");
  lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

absl::StatusOr<Descriptor> MakeProgram(const char* name, const std::string& bytes) {
  Descriptor fd = OpenMemory(name, kExec);
  if (fd.ok() && WriteAll(fd.get(), bytes)) return fd;
  const int error = errno;
  for (const char* directory : {"/dev/shm", "/run", "/tmp", "/var/tmp"}) {
    Descriptor program = MakeProgramIn(directory, bytes);
    if (program.ok()) return program;
  }
  errno = error;
  return absl::FailedPreconditionError(absl::StrCat(
      "no program can be started: the system allows no file in memory that can be executed (",
      strerror(error),
      "; vm.memfd_noexec), and neither /dev/shm, /run, /tmp nor /var/tmp takes "
      "one; set vm.memfd_noexec=1, or mount one of them without noexec"));
}

absl::StatusOr<Outputs> OpenOutputs(OutputMode mode, const std::string& input) {
  Outputs outputs;
  if (const absl::Status status = Open(mode, &outputs); !status.ok()) return status;
  if (input.empty()) {
    outputs.theirs[0] = Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC));
    return outputs;
  }
  auto file = MakeFile("jobtail-input", input);
  if (!file.ok()) return file.status();
  outputs.theirs[0] = *std::move(file);
  return outputs;
}

Output::State Output::Read(int from_fd, std::span<char> room, capture::Stream* from,
                           size_t* size) const {
  sockaddr_un sender{};
  socklen_t length = sizeof sender;
  ssize_t got;
  do {
    got = datagrams ? recvfrom(from_fd, room.data(), room.size(), 0,
                               reinterpret_cast<sockaddr*>(&sender), &length)
                    : read(from_fd, room.data(), room.size());
  } while (got < 0 && errno == EINTR);
  if (got < 0) return errno == EAGAIN ? State::kEmpty : State::kEnd;
  if (got == 0 && !datagrams) return State::kEnd;
  const std::string name = datagrams ? NameOf(sender, length) : "";
  if (datagrams && name != error_address && name != output_address) return State::kForeign;
  *from = datagrams && name == error_address ? capture::Stream::kStderr : stream;
  *size = static_cast<size_t>(got);
  return State::kData;
}

}  // namespace jobtail::process
