// Finding a token's issuer.
#include "server/oidc/issuer_set.h"

#include <algorithm>

#include "server/oidc/verify.h"

namespace jobtail::oidc {

IssuerSet::IssuerSet(const std::vector<Settings>& settings, const IssuerSet* old, Clock* clock,
                     const std::function<void()>& changed) {
  for (const Settings& each : settings) {
    std::shared_ptr<Issuer> known = old ? old->Find(each.issuer) : nullptr;
    const bool goes_on = known && known->settings() == each;
    issuers_.push_back(goes_on ? std::move(known) : std::make_shared<Issuer>(each, clock, changed));
  }
}

absl::StatusOr<Claims> IssuerSet::Verify(std::string_view token, const Issuer** issuer) const {
  if (token.size() > kMostTokenBytes) {
    return absl::UnauthenticatedError("the token is too long to be one of this server's issuers");
  }
  const std::shared_ptr<Issuer> found = Find(HintsOf(token).issuer);
  if (!found) {
    return absl::UnauthenticatedError("the token is of no issuer that this server trusts");
  }
  *issuer = found.get();
  return found->Verify(token);
}

std::optional<Claims> IssuerSet::Recall(std::string_view token, const Issuer** issuer) const {
  if (token.size() > kMostTokenBytes) return std::nullopt;
  for (const auto& each : issuers_) {
    if (std::optional<Claims> claims = each->Recall(token)) {
      *issuer = each.get();
      return claims;
    }
  }
  return std::nullopt;
}

std::shared_ptr<Issuer> IssuerSet::Find(std::string_view address) const {
  const auto found = std::ranges::find_if(
      issuers_, [&](const auto& each) { return each->settings().issuer == address; });
  return found == issuers_.end() ? nullptr : *found;
}

std::shared_ptr<Issuer> IssuerSet::FindByPrefix(std::string_view prefix) const {
  const auto found = std::ranges::find_if(
      issuers_, [&](const auto& each) { return each->settings().name_prefix == prefix; });
  return found == issuers_.end() ? nullptr : *found;
}

bool IssuerSet::Trusts(std::string_view id, std::string_view key) const {
  return std::ranges::any_of(issuers_,
                             [&](const auto& each) { return each->id() == id && each->Has(key); });
}

int64_t IssuerSet::failed_fetches() const {
  int64_t count = 0;
  for (const auto& each : issuers_) count += each->failed_fetches();
  return count;
}

std::vector<std::shared_ptr<Issuer>> IssuerSet::ForPeople() const {
  std::vector<std::shared_ptr<Issuer>> issuers;
  for (const auto& each : issuers_) {
    if (!each->settings().client_id.empty()) issuers.push_back(each);
  }
  return issuers;
}

}  // namespace jobtail::oidc
