// What is sent to the issuer, and what must come back.
#include "server/oidc/sign_in.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/fetch/url.h"
#include "base/quoting.h"
#include "base/utf8.h"
#include "server/oidc/json.h"

namespace jobtail::oidc {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

std::string Sha256(const std::string& text) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return absl::WebSafeBase64Escape(digest);
}

// As the secret's part of a name or password (RFC 6749, 2.3.1).
std::string Encoded(const std::string& text) { return EncodeForm({{"", text}}).substr(1); }

// The issuer's own word for what is wrong.
std::string ErrorIn(const FetchAnswer& answer) {
  const Json json = ParseObject(answer.body);
  const std::string error = json ? StringAt(json, "error") : "";
  const std::string more = json ? StringAt(json, "error_description") : "";
  return absl::StrCat("HTTP status ", answer.status, error.empty() ? "" : ", ", ToUtf8(error, 100),
                      more.empty() ? "" : ": ", ToUtf8(more, 300));
}

absl::StatusOr<std::string> FetchToken(const Issuer& issuer, Fetcher* fetcher,
                                       const Metadata& metadata, Fields form) {
  const Settings& settings = issuer.settings();
  FetchRequest request{.url = metadata.token_endpoint, .ca_file = settings.ca_file};
  form.emplace_back("client_id", settings.client_id);
  if (!settings.client_secret.empty() && metadata.sends_secret_in_form) {
    form.emplace_back("client_secret", settings.client_secret);
  } else if (!settings.client_secret.empty()) {
    request.user = Encoded(settings.client_id);
    request.password = Encoded(settings.client_secret);
  }
  request.form = std::move(form);
  const absl::StatusOr<FetchAnswer> answer = fetcher->Fetch(request);
  if (!answer.ok()) return answer.status();
  if (answer->status != 200) {
    const std::string message =
        absl::StrCat(settings.issuer, " does not take the sign-in: ", ErrorIn(*answer));
    if (answer->status >= 500) return absl::UnavailableError(message);
    return absl::UnauthenticatedError(message);
  }
  const Json json = ParseObject(answer->body);
  std::string token = json ? StringAt(json, "id_token") : "";
  if (token.empty()) {
    return absl::UnauthenticatedError(
        absl::StrCat(settings.issuer, " has answered without an ID token"));
  }
  return token;
}

}  // namespace

std::string Attempt::Derive(std::string_view use) const {
  return Sha256(absl::StrCat("jobtail sign-in ", std::string(use), " ", secret_));
}

std::string Attempt::challenge() const { return Sha256(verifier()); }

bool Attempt::IsState(std::string_view given) const {
  const std::string state = this->state();
  return given.size() == state.size() &&
         CRYPTO_memcmp(given.data(), state.data(), state.size()) == 0;
}

absl::StatusOr<std::string> AuthorizationUrl(const Issuer& issuer, const Attempt& attempt,
                                             const std::string& redirect_uri) {
  const absl::StatusOr<Metadata> metadata = issuer.metadata();
  if (!metadata.ok()) return metadata.status();
  if (metadata->authorization_endpoint.empty() || metadata->token_endpoint.empty()) {
    return absl::UnavailableError(
        absl::StrCat(issuer.settings().issuer, " has no endpoints to sign in with by a browser"));
  }
  return WithQuery(metadata->authorization_endpoint,
                   {{"response_type", "code"},
                    {"client_id", issuer.settings().client_id},
                    {"redirect_uri", redirect_uri},
                    {"scope", absl::StrJoin(issuer.settings().scopes, " ")},
                    {"state", attempt.state()},
                    {"nonce", attempt.nonce()},
                    {"code_challenge", attempt.challenge()},
                    {"code_challenge_method", "S256"}});
}

std::string SignInHint(const Settings& settings) {
  return EncodeForm({{"issuer", settings.issuer},
                     {"client_id", settings.client_id},
                     {"scope", absl::StrJoin(settings.scopes, " ")},
                     {"name", settings.name}});
}

absl::StatusOr<Claims> Exchange(Issuer* issuer, Fetcher* fetcher, const Attempt& attempt,
                                const std::string& code, const std::string& redirect_uri) {
  const absl::StatusOr<Metadata> metadata = issuer->metadata();
  if (!metadata.ok()) return metadata.status();
  const absl::StatusOr<std::string> token = FetchToken(*issuer, fetcher, *metadata,
                                                       {{"grant_type", "authorization_code"},
                                                        {"code", code},
                                                        {"redirect_uri", redirect_uri},
                                                        {"code_verifier", attempt.verifier()}});
  if (!token.ok()) return token.status();
  absl::StatusOr<Claims> claims = issuer->Verify(*token);
  if (!claims.ok()) return claims;
  const std::string& client = issuer->settings().client_id;
  const bool is_for_us = std::ranges::find(claims->audiences, client) != claims->audiences.end() &&
                         (claims->authorized_party.empty() || claims->authorized_party == client);
  if (!is_for_us || claims->nonce != attempt.nonce()) {
    return absl::UnauthenticatedError("the issuer's answer is not for this sign-in; begin again");
  }
  return claims;
}

}  // namespace jobtail::oidc
