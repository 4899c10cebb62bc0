// The file of a unix socket: made, replaced, removed.
#include "server/tls/unix_socket.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/tls/listen_errors.h"

namespace jobtail {
namespace {

constexpr mode_t kOwner = 0600;
constexpr mode_t kOwnerAndGroup = 0660;
constexpr int kAttempts = 50;  // to have the folder for oneself, 20 ms apart
constexpr useconds_t kApart = 20'000;

absl::Status Failed(const std::string& path, const std::string& why) {
  return CannotListen(absl::StrCat("unix:", path), why);
}

absl::StatusOr<gid_t> FindGroup(const std::string& name) {
  gid_t number = 0;
  if (absl::SimpleAtoi(name, &number)) return number;
  std::array<char, 16384> room{};
  group entry{};
  group* found = nullptr;
  if (getgrnam_r(name.c_str(), &entry, room.data(), room.size(), &found) != 0 || !found) {
    return absl::InvalidArgumentError(absl::StrCat(
        "there is no group \"", name, "\" on this machine: give another --socket-group"));
  }
  return found->gr_gid;
}

sockaddr_un AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

int NewSocket() { return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

// Whether somebody listens there: a full queue is a sign of life, too.
bool IsLive(const sockaddr_un& address) {
  const int fd = NewSocket();
  if (fd < 0) return true;
  const absl::Cleanup closing = [fd] { close(fd); };
  return connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
         errno != ECONNREFUSED;
}

// Keeps other servers from replacing files there, for as long as the descriptor is open. -1: no.
int LockFolder(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path();
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (int i = 0; fd >= 0 && i < kAttempts; ++i) {
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
    usleep(kApart);
  }
  if (fd >= 0) close(fd);
  return -1;
}

absl::Status RemoveStale(const std::string& path, const sockaddr_un& address) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return absl::OkStatus();
  if (!S_ISSOCK(status.st_mode)) {
    return Failed(path, "there is something else than a socket; choose another path");
  }
  if (IsLive(address)) {
    return Failed(path, "a server listens there already; stop it, or choose another path");
  }
  if (unlink(path.c_str()) != 0) return Failed(path, strerror(errno));
  return absl::OkStatus();
}

// What the path leads to: the socket that was just bound, which nobody but its owner can use yet.
absl::Status GiveTo(const std::string& path, std::optional<gid_t> group, mode_t mode) {
  const int fd = open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return Failed(path, strerror(errno));
  const absl::Cleanup closing = [fd] { close(fd); };
  const std::string same = absl::StrCat("/proc/self/fd/", fd);
  if (group && fchownat(fd, "", static_cast<uid_t>(-1), *group, AT_EMPTY_PATH) != 0) {
    return Failed(path, absl::StrCat("it cannot be given to its group: ", strerror(errno)));
  }
  if (chmod(same.c_str(), mode) != 0) return Failed(path, strerror(errno));
  return absl::OkStatus();
}

}  // namespace

std::optional<std::string> UnixPathOf(std::string_view address) {
  constexpr std::string_view kScheme = "unix:";
  if (!address.starts_with(kScheme)) return std::nullopt;
  address.remove_prefix(kScheme.size());
  if (address.starts_with("///")) address.remove_prefix(2);
  return std::string(address);
}

absl::StatusOr<UnixSocket> UnixSocket::Listen(const std::string& text, const SocketAccess& access) {
  std::error_code error;
  const std::string path = std::filesystem::absolute(text, error);
  sockaddr_un address{};
  if (text.empty() || text.back() == '/' || path.size() >= sizeof address.sun_path) {
    return absl::InvalidArgumentError(
        absl::StrCat("address \"unix:", text, "\": give unix:PATH, of a file, in at most ",
                     sizeof address.sun_path - 1, " bytes, such as unix:/run/jobtail/grpc.sock"));
  }
  address = AddressOf(path);
  std::optional<gid_t> group;
  if (!access.group.empty()) {
    const absl::StatusOr<gid_t> found = FindGroup(access.group);
    if (!found.ok()) return found.status();
    group = *found;
  }
  const int folder = LockFolder(path);
  if (folder < 0) return Failed(path, "its folder is not there, or cannot be read");
  const absl::Cleanup unlocking = [folder] { close(folder); };
  if (absl::Status removed = RemoveStale(path, address); !removed.ok()) return removed;

  UnixSocket socket;
  socket.fd_ = NewSocket();
  // Linux makes the file with the socket's own mode, so that it is never open to others.
  if (socket.fd_ < 0 || fchmod(socket.fd_, kOwner) != 0 ||
      bind(socket.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Failed(path, strerror(errno));
  }
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return Failed(path, strerror(errno));
  socket.path_ = path;
  socket.device_ = status.st_dev;
  socket.inode_ = status.st_ino;
  const mode_t mode = access.mode.value_or(group ? kOwnerAndGroup : kOwner);
  if (absl::Status given = GiveTo(path, group, mode); !given.ok()) return given;
  if (listen(socket.fd_, SOMAXCONN) != 0) return Failed(path, strerror(errno));
  return socket;
}

UnixSocket::UnixSocket(UnixSocket&& other) noexcept { *this = std::move(other); }

UnixSocket& UnixSocket::operator=(UnixSocket&& other) noexcept {
  if (this == &other) return *this;
  Remove();
  path_ = std::exchange(other.path_, "");
  device_ = other.device_;
  inode_ = other.inode_;
  fd_ = std::exchange(other.fd_, -1);
  return *this;
}

int UnixSocket::Release() { return std::exchange(fd_, -1); }

void UnixSocket::Remove() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
  const std::string path = std::exchange(path_, "");
  struct stat status {};
  if (path.empty() || lstat(path.c_str(), &status) != 0) return;
  if (status.st_dev == device_ && status.st_ino == inode_) unlink(path.c_str());
}

PeerIdentity IdentityOfSocket(int fd) {
  PeerIdentity peer;
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return peer;
  peer.kind = PeerIdentity::Kind::kSocket;
  peer.uid = credentials.uid;
  peer.gid = credentials.gid;
  peer.pid = credentials.pid;
  peer.is_private = true;
  return peer;
}

}  // namespace jobtail
