// The issuers that a server trusts.
#ifndef JOBTAIL_SERVER_OIDC_ISSUER_SET_H_
#define JOBTAIL_SERVER_OIDC_ISSUER_SET_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "server/oidc/claims.h"
#include "server/oidc/issuer.h"
#include "server/oidc/settings.h"

namespace jobtail::oidc {

// Never changes; thread-safe.
class IssuerSet {
 public:
  IssuerSet() = default;
  // Goes on with those of `old`, which may be null, whose settings are the same.
  // `changed`: see Issuer.
  IssuerSet(const std::vector<Settings>& settings, const IssuerSet* old, Clock* clock,
            const std::function<void()>& changed);

  bool empty() const { return issuers_.empty(); }

  // By the issuer that the token names: UNAUTHENTICATED if it is none of these; otherwise as
  // Issuer::Verify. `*issuer` is it, where it is found.
  absl::StatusOr<Claims> Verify(std::string_view token, const Issuer** issuer) const;

  // As Issuer::Recall, of whichever issuer it is.
  std::optional<Claims> Recall(std::string_view token, const Issuer** issuer) const;

  // By "iss", or by the name_prefix that no two have; null: there is none.
  std::shared_ptr<Issuer> Find(std::string_view address) const;
  std::shared_ptr<Issuer> FindByPrefix(std::string_view prefix) const;

  // Whether what an issuer of that id (Issuer::id) has signed with that key (Claims::key) counts.
  bool Trusts(std::string_view id, std::string_view key) const;

  int64_t failed_fetches() const;

  // Those that people can sign in with.
  std::vector<std::shared_ptr<Issuer>> ForPeople() const;

 private:
  std::vector<std::shared_ptr<Issuer>> issuers_;
};

}  // namespace jobtail::oidc

#endif  // JOBTAIL_SERVER_OIDC_ISSUER_SET_H_
