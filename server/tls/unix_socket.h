// Listening at a path instead of a port.
#ifndef JOBTAIL_SERVER_TLS_UNIX_SOCKET_H_
#define JOBTAIL_SERVER_TLS_UNIX_SOCKET_H_

#include <sys/stat.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/tls/peer_identity.h"
#include "server/tls/socket_access.h"

namespace jobtail {

// "/run/jobtail.sock" of "unix:/run/jobtail.sock" and of "unix:///run/jobtail.sock"; nullopt for an
// address of another kind.
std::optional<std::string> UnixPathOf(std::string_view address);

// A socket that listens at a path; the path goes with it. Belongs to a door. Not thread-safe.
//
// The file is there with its permissions from the first moment. One that a server has left behind
// is replaced; one at which somebody listens, and anything that is no socket, is left alone.
class UnixSocket {
 public:
  // INVALID_ARGUMENT for a path that is too long, or a group that there is not; UNAVAILABLE if it
  // cannot be listened at.
  static absl::StatusOr<UnixSocket> Listen(const std::string& text, const SocketAccess& access);

  UnixSocket(UnixSocket&& other) noexcept;
  UnixSocket& operator=(UnixSocket&& other) noexcept;
  // Removes the file, unless it is another's by now.
  ~UnixSocket() { Remove(); }

  // The listening socket, non-blocking, which the caller has from then on. Once.
  int Release();

 private:
  UnixSocket() = default;
  void Remove();

  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  int fd_ = -1;
};

// As whom the other end of a unix socket has connected.
PeerIdentity IdentityOfSocket(int fd);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_TLS_UNIX_SOCKET_H_
