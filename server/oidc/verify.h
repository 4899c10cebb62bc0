// Verifying a token.
#ifndef JOBTAIL_SERVER_OIDC_VERIFY_H_
#define JOBTAIL_SERVER_OIDC_VERIFY_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/oidc/claims.h"
#include "server/oidc/key_set.h"
#include "server/oidc/settings.h"

namespace jobtail::oidc {

// Of a token, in bytes: it comes with each call.
inline constexpr size_t kMostTokenBytes = 8 << 10;
// How far the issuer's clock may be from this machine's.
inline constexpr absl::Duration kLeeway = absl::Seconds(30);

// Whether it has the form of a JWT: three parts, the last of which may be empty.
bool IsJwt(std::string_view token);

// What an unverified token says of itself; empty where it says nothing, or is no token.
struct Hints {
  std::string issuer;
  std::string kid;
};
Hints HintsOf(std::string_view token);

// What the token says, if it is right: signed by one of the keys, by the algorithm that the key is
// pinned to; of that issuer, for one of the audiences; not expired, and valid by now.
//
// UNAUTHENTICATED, with what is wrong, otherwise; nothing of an unverified token is told but its
// own algorithm.
absl::StatusOr<Claims> Verify(std::string_view token, const Settings& settings, const KeySet& keys,
                              absl::Time now);

}  // namespace jobtail::oidc

#endif  // JOBTAIL_SERVER_OIDC_VERIFY_H_
