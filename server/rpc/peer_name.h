// A name for who is at the other end of a unix socket, since such peers have none.
#ifndef JOBTAIL_SERVER_RPC_PEER_NAME_H_
#define JOBTAIL_SERVER_RPC_PEER_NAME_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/tls/peer_identity.h"

namespace jobtail {

// gRPC tells of a call's connection nothing but the name of its peer, which it asks the socket for
// (getpeername) while it is handed the connection. All unix sockets' peers are called "unix:". So
// while this object lives, the calling thread's getpeername says of `fd` what MakePeerName made.
//
// Hazard: this program's getpeername has to be the one that gRPC calls. It is, as long as this code
// is linked into the program itself; otherwise peers are nobody, which is refused, not let in.
class ScopedPeerName {
 public:
  // `name` outlives the object.
  ScopedPeerName(int fd, const std::string& name);
  ~ScopedPeerName();

  ScopedPeerName(const ScopedPeerName&) = delete;
  ScopedPeerName& operator=(const ScopedPeerName&) = delete;
};

// A name that tells who it is, unlike all others, and that nobody outside this process can make up:
// a client may call its own end whatever it likes. `serial` is the connection's number.
std::string MakePeerName(const PeerIdentity& peer, int64_t serial);

// The number in such a name; nullopt for other names. It proves nothing.
std::optional<int64_t> SerialOf(std::string_view peer);

// Who it is whose name gRPC has ("unix:" and what MakePeerName made); nullopt for other names.
std::optional<PeerIdentity> ParsePeerName(std::string_view peer);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_PEER_NAME_H_
