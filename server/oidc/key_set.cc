// Reading a JWKS and verifying signatures, by librhonabwy.
#include "server/oidc/key_set.h"

#include <rhonabwy.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/oidc/json.h"

namespace jobtail::oidc {
namespace {

using Jwk = std::unique_ptr<jwk_t, decltype(&r_jwk_free)>;
using Jws = std::unique_ptr<jws_t, decltype(&r_jws_free)>;

void Begin() {
  static std::once_flag once;
  std::call_once(once, [] { r_global_init(); });
}

Jwk Import(json_t* json) {
  Begin();
  jwk_t* jwk = nullptr;
  if (r_jwk_init(&jwk) != RHN_OK) return {nullptr, r_jwk_free};
  Jwk owned(jwk, r_jwk_free);
  if (r_jwk_import_from_json_t(jwk, json) != RHN_OK) return {nullptr, r_jwk_free};
  return owned;
}

// "P-256" for ES256; empty for what needs no curve.
std::string_view CurveOf(std::string_view algorithm) {
  if (algorithm == "ES256") return "P-256";
  if (algorithm == "ES384") return "P-384";
  if (algorithm == "ES512") return "P-521";
  if (algorithm == "EdDSA") return "Ed25519";
  return "";
}

std::string_view TypeOf(std::string_view algorithm) {
  if (algorithm.starts_with("ES")) return "EC";
  if (algorithm == "EdDSA") return "OKP";
  return "RSA";
}

// Only what a public key needs: nothing that names certificates, or addresses to fetch them from.
Json PublicPart(const Json& json) {
  Json part(json_object());
  for (const char* name : {"kty", "n", "e", "crv", "x", "y"}) {
    const std::string value = StringAt(json, name);
    if (!value.empty()) json_object_set_new(part.get(), name, json_string(value.c_str()));
  }
  return part;
}

// The algorithm that it is for, if that is one of those; empty: none of them.
std::string AlgorithmOf(const Json& json, const std::vector<std::string>& algorithms) {
  const std::string named = StringAt(json, "alg");
  if (Has(json, "alg") && named.empty()) return "";
  for (const std::string& algorithm : algorithms) {
    const bool fits = StringAt(json, "kty") == TypeOf(algorithm) &&
                      (TypeOf(algorithm) == "RSA" || StringAt(json, "crv") == CurveOf(algorithm));
    if (fits && (named.empty() || named == algorithm)) return algorithm;
  }
  return "";
}

bool IsForSignatures(const Json& json) {
  const auto operations = ListAt(json, "key_ops");
  const bool may_verify =
      !Has(json, "key_ops") ||
      (operations && std::ranges::find(*operations, "verify") != operations->end());
  return may_verify && (!Has(json, "use") || StringAt(json, "use") == "sig");
}

std::string Text(const Json& json) {
  char* const dumped = json_dumps(json.get(), JSON_COMPACT | JSON_SORT_KEYS);
  std::string text = dumped ? dumped : "";
  free(dumped);
  return text;
}

std::optional<Key> ToKey(const Json& json, const std::vector<std::string>& algorithms) {
  Key key{.kid = StringAt(json, "kid"), .algorithm = AlgorithmOf(json, algorithms)};
  if (key.algorithm.empty() || !IsForSignatures(json) || Has(json, "d")) return std::nullopt;
  const Json part = PublicPart(json);
  const Jwk jwk = Import(part.get());
  unsigned bits = 0;
  if (!jwk || r_jwk_is_valid(jwk.get()) != RHN_OK) return std::nullopt;
  const int type = r_jwk_key_type(jwk.get(), &bits, R_FLAG_IGNORE_REMOTE);
  if ((type & R_KEY_TYPE_PUBLIC) == 0) return std::nullopt;
  const bool is_rsa = TypeOf(key.algorithm) == "RSA";
  if (is_rsa && (bits < KeySet::kLeastRsaBits || bits > KeySet::kMostRsaBits)) return std::nullopt;
  key.jwk = Text(part);
  char* const thumbprint = r_jwk_thumbprint(jwk.get(), R_JWK_THUMB_SHA256, R_FLAG_IGNORE_REMOTE);
  if (!thumbprint) return std::nullopt;
  key.id = thumbprint;
  r_free(thumbprint);
  return key;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const KeySet>> KeySet::Parse(
    const std::string& text, const std::vector<std::string>& algorithms) {
  const Json json = ParseObject(text);
  json_t* const keys = json ? json_object_get(json.get(), "keys") : nullptr;
  if (!json_is_array(keys)) {
    return absl::InvalidArgumentError("this is no set of keys (JWKS): {\"keys\": [...]}");
  }
  if (json_array_size(keys) > kMostKeys) {
    return absl::InvalidArgumentError(
        absl::StrCat("there are more than ", kMostKeys, " keys in it"));
  }
  auto set = std::make_shared<KeySet>();
  for (size_t i = 0; i < json_array_size(keys); ++i) {
    const Json each(json_incref(json_array_get(keys, i)));
    if (!json_is_object(each.get())) continue;
    if (std::optional<Key> key = ToKey(each, algorithms)) set->keys_.push_back(*std::move(key));
  }
  if (set->keys_.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("no key in it is for signatures by ", absl::StrJoin(algorithms, ", "),
                     " (RSA: ", kLeastRsaBits, " to ", kMostRsaBits, " bits)"));
  }
  return set;
}

const Key* KeySet::Find(std::string_view kid, std::string_view algorithm) const {
  const Key* found = nullptr;
  for (const Key& key : keys_) {
    if (key.algorithm != algorithm || (!kid.empty() && key.kid != kid)) continue;
    if (found) return nullptr;
    found = &key;
  }
  return found;
}

bool KeySet::Knows(std::string_view kid) const {
  return !kid.empty() && std::ranges::any_of(keys_, [&](const Key& key) { return key.kid == kid; });
}

bool KeySet::Has(std::string_view id) const {
  return std::ranges::any_of(keys_, [&](const Key& key) { return key.id == id; });
}

bool IsSignedBy(const Key& key, std::string_view token) {
  const Json json = ParseObject(key.jwk);
  const Jwk jwk = json ? Import(json.get()) : Jwk(nullptr, r_jwk_free);
  jws_t* raw = nullptr;
  if (!jwk || r_jws_init(&raw) != RHN_OK) return false;
  const Jws jws(raw, r_jws_free);
  if (r_jws_advanced_compact_parsen(raw, token.data(), token.size(), R_PARSE_NONE,
                                    R_FLAG_IGNORE_REMOTE) != RHN_OK) {
    return false;
  }
  if (r_jws_get_alg(raw) != r_str_to_jwa_alg(key.algorithm.c_str())) return false;
  return r_jws_verify_signature(raw, jwk.get(), R_FLAG_IGNORE_REMOTE) == RHN_OK;
}

}  // namespace jobtail::oidc
