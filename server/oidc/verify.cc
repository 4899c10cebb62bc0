// The checks of a token, in the order in which they cost.
#include "server/oidc/verify.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/quoting.h"
#include "server/oidc/json.h"

namespace jobtail::oidc {
namespace {

constexpr size_t kMostNameBytes = 255;
constexpr size_t kMostGroups = 1000;

absl::Status Wrong(const std::string& what) {
  return absl::UnauthenticatedError(absl::StrCat("the token ", what));
}

std::array<std::string_view, 3> PartsOf(std::string_view token) {
  const size_t first = token.find('.');
  const size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos) {
    return {};
  }
  return {token.substr(0, first), token.substr(first + 1, second - first - 1),
          token.substr(second + 1)};
}

Json DecodeObject(std::string_view part) {
  const auto text = DecodeBase64Url(part);
  return text ? ParseObject(*text) : nullptr;
}

std::string Time(absl::Time time) {
  return absl::FormatTime(absl::RFC3339_sec, time, absl::UTCTimeZone());
}

// Printable ASCII without spaces: what the access file can name, and a log can show.
bool IsPlain(std::string_view text) {
  return !text.empty() && text.size() <= kMostNameBytes &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

// Other kinds of JWT that the same key may have signed are none that say who calls.
bool IsKindOfToken(const Json& header) {
  if (!Has(header, "typ")) return true;
  std::string kind = absl::AsciiStrToLower(StringAt(header, "typ"));
  if (kind.starts_with("application/")) kind = kind.substr(12);
  return kind == "jwt" || kind == "at+jwt";
}

absl::StatusOr<const Key*> FindKey(const Json& header, const Settings& settings,
                                   const KeySet& keys) {
  const std::string algorithm = StringAt(header, "alg");
  if (std::ranges::find(settings.algorithms, algorithm) == settings.algorithms.end()) {
    return Wrong(absl::StrCat("is signed by ", Quoted(algorithm.substr(0, 32)),
                              "; this server takes ", absl::StrJoin(settings.algorithms, ", ")));
  }
  if (Has(header, "crit")) return Wrong("has critical extensions, none of which is known here");
  if (!IsKindOfToken(header)) return Wrong("is of a kind (\"typ\") that does not say who calls");
  const std::string kid = StringAt(header, "kid");
  if (const Key* const key = keys.Find(kid, algorithm)) return key;
  if (keys.Knows(kid)) return Wrong("is signed by an algorithm that its key is not for");
  return Wrong("is signed by a key that the issuer does not have");
}

absl::Status CheckTimes(const Json& payload, absl::Time now, Claims* claims) {
  const std::optional<absl::Time> expires = TimeAt(payload, "exp");
  if (!expires) return Wrong("does not say when it expires (\"exp\")");
  claims->expires = *expires + kLeeway;
  if (now >= claims->expires) {
    return Wrong(absl::StrCat("expired at ", Time(*expires), "; sign in again"));
  }
  for (const char* name : {"nbf", "iat"}) {
    if (!Has(payload, name)) continue;
    const std::optional<absl::Time> begins = TimeAt(payload, name);
    if (!begins) return Wrong(absl::StrCat("has no time in \"", name, "\""));
    if (*begins > now + kLeeway) return Wrong(absl::StrCat("is not valid before ", Time(*begins)));
  }
  return absl::OkStatus();
}

absl::Status CheckAudience(const Json& payload, const Settings& settings, Claims* claims) {
  const auto audiences = ListAt(payload, "aud");
  if (!audiences || audiences->empty()) return Wrong("does not say whom it is for (\"aud\")");
  const bool is_ours = std::ranges::any_of(*audiences, [&](const std::string& audience) {
    return std::ranges::find(settings.audiences, audience) != settings.audiences.end();
  });
  if (!is_ours) {
    return Wrong(absl::StrCat("is for another audience; this server's is ",
                              absl::StrJoin(settings.audiences, ", ")));
  }
  claims->audiences = *audiences;
  claims->authorized_party = StringAt(payload, "azp");
  return absl::OkStatus();
}

absl::Status TakeName(const Json& payload, const Settings& settings, Claims* claims) {
  const std::string name = StringAt(payload, settings.name_claim);
  if (!IsPlain(name)) {
    return Wrong(absl::StrCat("has no name in ", Quoted(settings.name_claim), ", or one with ",
                              "spaces, beyond ASCII or longer than ", kMostNameBytes));
  }
  const json_t* const verified = json_object_get(payload.get(), "email_verified");
  if (settings.name_claim == "email" && !json_is_true(verified)) {
    return Wrong(
        "has an address in \"email\" of which the issuer does not say that it has "
        "verified it (\"email_verified\")");
  }
  claims->name = settings.name_prefix + name;
  return absl::OkStatus();
}

// What could be taken for a socket's group, or cannot be named in the access file, is left out.
absl::Status TakeGroups(const Json& payload, const Settings& settings, Claims* claims) {
  if (settings.groups_claim.empty()) return absl::OkStatus();
  const auto groups = ListAt(payload, settings.groups_claim);
  if (!groups || groups->size() > kMostGroups) {
    return Wrong(absl::StrCat("has no list of at most ", kMostGroups, " groups in ",
                              Quoted(settings.groups_claim)));
  }
  for (const std::string& group : *groups) {
    std::string name = settings.groups_prefix + group;
    if (IsPlain(group) && !name.starts_with("gid:")) claims->groups.push_back(std::move(name));
  }
  std::ranges::sort(claims->groups);
  claims->groups.erase(std::unique(claims->groups.begin(), claims->groups.end()),
                       claims->groups.end());
  return absl::OkStatus();
}

}  // namespace

bool IsJwt(std::string_view token) { return !PartsOf(token)[0].empty(); }

Hints HintsOf(std::string_view token) {
  if (token.size() > kMostTokenBytes) return {};
  const auto [header, payload, signature] = PartsOf(token);
  const Json head = DecodeObject(header);
  const Json body = DecodeObject(payload);
  if (!head || !body) return {};
  return {StringAt(body, "iss"), StringAt(head, "kid")};
}

absl::StatusOr<Claims> Verify(std::string_view token, const Settings& settings, const KeySet& keys,
                              absl::Time now) {
  if (token.size() > kMostTokenBytes) {
    return Wrong(absl::StrCat("is longer than ", kMostTokenBytes, " bytes"));
  }
  const auto [head, body, signature] = PartsOf(token);
  const Json header = DecodeObject(head);
  const Json payload = DecodeObject(body);
  if (!header || !payload) return Wrong("is no JWT");
  const absl::StatusOr<const Key*> key = FindKey(header, settings, keys);
  if (!key.ok()) return key.status();
  if (!DecodeBase64Url(signature) || !IsSignedBy(**key, token)) {
    return Wrong("is not signed by the issuer's key");
  }
  if (StringAt(payload, "iss") != settings.issuer) return Wrong("is of another issuer");
  Claims claims{.nonce = StringAt(payload, "nonce"), .key = (*key)->id};
  for (const absl::Status& checked :
       {CheckAudience(payload, settings, &claims), CheckTimes(payload, now, &claims),
        TakeName(payload, settings, &claims), TakeGroups(payload, settings, &claims)}) {
    if (!checked.ok()) return checked;
  }
  return claims;
}

}  // namespace jobtail::oidc
