// Who is at the other end of a connection, as the connection itself proves it.
#ifndef JOBTAIL_SERVER_TLS_PEER_IDENTITY_H_
#define JOBTAIL_SERVER_TLS_PEER_IDENTITY_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace jobtail {

// What a door knows of a peer before it reads what the peer says: nothing, a certificate that was
// verified against --tls-client-ca, or what the kernel says of a unix socket's other end. A token,
// a cookie or a trusted proxy's header comes on top of it, and is not told here.
//
// rpc/peer.h tells it of a gRPC call, http::Request::peer of an HTTP request.
struct PeerIdentity {
  enum class Kind {
    kNone,         // an address alone
    kCertificate,  // TLS, with a certificate of a CA that is trusted for clients
    kSocket,       // a unix socket
  };

  Kind kind = Kind::kNone;

  // Of a certificate: the names in its subjectAltName, each kind in the certificate's order, those
  // with characters other than printable ASCII left out. The common name is no name.
  std::vector<std::string> uris = {};
  std::vector<std::string> dns_names = {};

  // Of a unix socket: as whom the peer's process had connected (SO_PEERCRED). -1 and 0 otherwise.
  uid_t uid = static_cast<uid_t>(-1);
  gid_t gid = static_cast<gid_t>(-1);
  pid_t pid = 0;

  // Whether what is sent can be read or changed by nobody between: TLS or a unix socket.
  bool is_private = false;

  // The certificate's name: its first URI, otherwise its first DNS name; empty where there is none.
  std::string name() const {
    if (!uris.empty()) return uris.front();
    return dns_names.empty() ? "" : dns_names.front();
  }

  friend bool operator==(const PeerIdentity&, const PeerIdentity&) = default;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_TLS_PEER_IDENTITY_H_
