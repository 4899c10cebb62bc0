// The names in a peer's certificate.
#ifndef JOBTAIL_SERVER_TLS_PEER_CERTIFICATE_H_
#define JOBTAIL_SERVER_TLS_PEER_CERTIFICATE_H_

#include <openssl/ssl.h>

#include <string_view>

#include "server/tls/peer_identity.h"

namespace jobtail {

// Of a TLS connection whose handshake is done.
PeerIdentity IdentityOf(const SSL* connection);

// Whether a subjectAltName may be somebody's name: printable ASCII, without spaces.
bool IsName(std::string_view text);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_TLS_PEER_CERTIFICATE_H_
