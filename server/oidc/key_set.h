// The keys that an issuer signs with.
#ifndef JOBTAIL_SERVER_OIDC_KEY_SET_H_
#define JOBTAIL_SERVER_OIDC_KEY_SET_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace jobtail::oidc {

// A public key, pinned to one algorithm: with another one it verifies nothing.
struct Key {
  std::string id = {};         // its thumbprint (RFC 7638), whatever it is called
  std::string kid = {};        // what it is called; empty: nothing
  std::string algorithm = {};  // "RS256"
  std::string jwk = {};        // JSON
};

// Never changes; thread-safe.
class KeySet {
 public:
  static constexpr size_t kMostKeys = 100;
  static constexpr unsigned kLeastRsaBits = 2048;
  static constexpr unsigned kMostRsaBits = 8192;

  // Of a JWKS, those keys that are for signatures by one of `algorithms` ("RS256", ...); a key
  // that does not name its algorithm gets the first that goes with it. Others, private and secret
  // ones among them, are left out. INVALID_ARGUMENT if it is no JWKS, or no key is left.
  static absl::StatusOr<std::shared_ptr<const KeySet>> Parse(
      const std::string& text, const std::vector<std::string>& algorithms);

  // Of a token that says that of itself. One that names no key may be signed by a key that is the
  // only one of its algorithm. Null: none.
  const Key* Find(std::string_view kid, std::string_view algorithm) const;
  // Whether a key is called that, whatever its algorithm; an empty name never is.
  bool Knows(std::string_view kid) const;
  bool Has(std::string_view id) const;

  const std::vector<Key>& keys() const { return keys_; }

 private:
  std::vector<Key> keys_;
};

// Whether the key has signed the token (compact JWS, whose "alg" is the key's). What the token says
// of keys itself is not looked at, nor fetched.
bool IsSignedBy(const Key& key, std::string_view token);

}  // namespace jobtail::oidc

#endif  // JOBTAIL_SERVER_OIDC_KEY_SET_H_
