// An issuer's key pair, as a test has it.
#ifndef JOBTAIL_TESTS_SERVER_OIDC_SIGNER_H_
#define JOBTAIL_TESTS_SERVER_OIDC_SIGNER_H_

#include <rhonabwy.h>

#include <memory>
#include <string>

namespace jobtail::oidc::testing {

// Signs whatever it is told to. `extent` is the bits of an RSA key, or 256, 384 or 521 for a curve.
class Signer {
 public:
  Signer(int type, unsigned extent, const std::string& kid);

  // The public key, as a member of a JWKS, with more members: "\"alg\":\"RS256\"".
  std::string Jwk(const std::string& more = "") const;
  // The header says so, besides "alg"; both are JSON objects. A "kid" is only where it says one.
  std::string Sign(const std::string& algorithm, const std::string& payload,
                   const std::string& header = "{}") const;

 private:
  using Owned = std::unique_ptr<jwk_t, decltype(&r_jwk_free)>;
  Owned private_{nullptr, r_jwk_free};
  Owned public_{nullptr, r_jwk_free};
};

// One that is made once: it takes a while.
const Signer& RsaSigner();
const Signer& EcSigner();

// "{"keys":[...]}" of one.
std::string Jwks(const std::string& keys);
// base64url, without "=".
std::string Encode(const std::string& text);

}  // namespace jobtail::oidc::testing

#endif  // JOBTAIL_TESTS_SERVER_OIDC_SIGNER_H_
