// Signing in with an issuer: the authorization code flow, with PKCE.
#ifndef JOBTAIL_SERVER_OIDC_SIGN_IN_H_
#define JOBTAIL_SERVER_OIDC_SIGN_IN_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/fetch/fetch.h"
#include "server/oidc/claims.h"
#include "server/oidc/issuer.h"

namespace jobtail::oidc {

// One try to sign in. Everything about it follows from one secret, which the browser keeps in a
// cookie that scripts do not see: the server keeps nothing.
class Attempt {
 public:
  // `secret`: random, and nobody else's.
  explicit Attempt(std::string secret) : secret_(std::move(secret)) {}

  std::string state() const { return Derive("state"); }
  std::string nonce() const { return Derive("nonce"); }
  std::string verifier() const { return Derive("verifier"); }
  std::string challenge() const;  // S256 of the verifier

  // In a time that does not tell how far they agree.
  bool IsState(std::string_view given) const;

 private:
  std::string Derive(std::string_view use) const;

  std::string secret_;
};

// Where the browser goes. UNAVAILABLE while the issuer cannot be asked.
absl::StatusOr<std::string> AuthorizationUrl(const Issuer& issuer, const Attempt& attempt,
                                             const std::string& redirect_uri);

// What a program has to know to sign somebody in with the issuer by itself, as a form (see url.h):
// "issuer", "client_id", "scope", and "name" for people. Nothing of it is secret.
std::string SignInHint(const Settings& settings);

// Exchanges the code that the browser has brought back for what the issuer says of its user.
// UNAUTHENTICATED if the issuer does not take it, or what it answers is not for this attempt;
// UNAVAILABLE if it cannot be asked. Waits for the issuer.
absl::StatusOr<Claims> Exchange(Issuer* issuer, Fetcher* fetcher, const Attempt& attempt,
                                const std::string& code, const std::string& redirect_uri);

}  // namespace jobtail::oidc

#endif  // JOBTAIL_SERVER_OIDC_SIGN_IN_H_
