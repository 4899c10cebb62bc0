// Who calls, and how that is known.
#ifndef JOBTAIL_SERVER_ACCESS_PRINCIPAL_H_
#define JOBTAIL_SERVER_ACCESS_PRINCIPAL_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "server/access/secret.h"

namespace jobtail::access {

// What has proved who calls. The numbers are those of the API's Proof; a test compares them.
enum class Proof {
  kAnonymous = 1,    // nothing
  kLocal = 2,        // nothing is asked for: there is no access file, or the program calls itself
  kSocket = 3,       // the kernel, of a unix socket's other end
  kCertificate = 4,  // a client certificate
  kToken = 5,        // a token of the server's own
  kSession = 6,      // the cookie of a session, which a token has begun
  kJwt = 7,          // a token of an OpenID Connect issuer
  kProxy = 8,        // a proxy that is trusted to tell
};

// "token", as the audit log has it.
std::string_view NameOf(Proof proof);

// Who calls. A value; never changes once it is made.
//
// The names of different proofs cannot be mistaken for one another: a token's has letters, digits
// and "-._@" alone, a certificate's is a URI or begins with "dns:", a socket's with "uid:", an
// issuer's with "oidc:", one that a proxy has named with "proxy:".
struct Principal {
  std::string name = {};                 // empty for kLocal
  std::vector<std::string> groups = {};  // that came with the proof, sorted
  Proof proof = Proof::kAnonymous;
  std::string via = {};       // the proxy that has named it, as its connection has proved it
  std::string token_id = {};  // of a token, or of that which began the session
  std::string issuer = {};    // of a JWT, or of that which began the session (oidc::Issuer::id)
  std::string key = {};       // that has signed it (oidc::Claims::key)
  absl::Time expires = absl::InfiniteFuture();    // when the proof is worth nothing any more
  absl::Time not_after = absl::InfiniteFuture();  // of a session, which ends before its token, too
  std::optional<Digest> session = std::nullopt;   // which one, if it is one

  bool IsLocal() const { return proof == Proof::kLocal; }
  bool IsAnonymous() const { return proof == Proof::kAnonymous; }
};

// Printable ASCII without spaces, and not empty: what names of principals are made of, and patterns
// of them.
bool IsPlainName(std::string_view text);

// A call's sender: passed into each call of the engine. A value, cheap to copy.
struct Caller {
  std::shared_ptr<const Principal> principal = Local();
  // The address that the call came from; empty for a call of the program's own.
  std::string peer = {};
  std::string trace_id = {};  // of the trace that the call is a part of (W3C); empty if it is none

  // Who may do everything.
  static std::shared_ptr<const Principal> Local();
};

}  // namespace jobtail::access

#endif  // JOBTAIL_SERVER_ACCESS_PRINCIPAL_H_
