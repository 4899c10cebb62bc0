// The permissions of a unix socket.
#ifndef JOBTAIL_SERVER_TLS_SOCKET_ACCESS_H_
#define JOBTAIL_SERVER_TLS_SOCKET_ACCESS_H_

#include <sys/types.h>

#include <optional>
#include <string>

namespace jobtail {

// Who may connect to a unix socket.
struct SocketAccess {
  // A group of the system, by name or number. Empty: the server's user alone.
  std::string group = {};
  // The socket's permissions, such as 0660. nullopt: 0600, or 0660 with a group.
  std::optional<mode_t> mode = {};
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_TLS_SOCKET_ACCESS_H_
