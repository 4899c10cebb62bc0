// Discovery, the device flow, and refreshing.

#include "client/login/provider.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/clock.h"
#include "base/fetch/url.h"
#include "base/quoting.h"
#include "base/utf8.h"

namespace jobtail::client {
namespace {

constexpr char kDeviceGrant[] = "urn:ietf:params:oauth:grant-type:device_code";
constexpr absl::Duration kLongestCode = absl::Hours(1);
constexpr absl::Duration kLongestInterval = absl::Minutes(1);

google::protobuf::Struct ParseObject(std::string text) {
  google::protobuf::Struct object;
  DropByteOrderMark(&text);
  if (!google::protobuf::util::JsonStringToMessage(text, &object).ok()) object.Clear();
  return object;
}

std::string At(const std::map<std::string, std::string>& texts, const std::string& name) {
  const auto found = texts.find(name);
  return found == texts.end() ? "" : found->second;
}

absl::Duration SecondsAt(const std::map<std::string, double>& numbers, const std::string& name,
                         double otherwise, absl::Duration longest) {
  const auto found = numbers.find(name);
  const double seconds = found == numbers.end() ? otherwise : found->second;
  return std::clamp(absl::Seconds(seconds), absl::Seconds(1), longest);
}

}  // namespace

absl::StatusOr<Provider::Answer> Provider::Ask(const std::string& url, Form form) {
  FetchRequest request{.url = url, .form = std::move(form), .ca_file = ca_file_};
  const absl::StatusOr<FetchAnswer> fetched = fetcher_.Fetch(request);
  if (!fetched.ok()) {
    return absl::Status(fetched.status().code(),
                        Printable(std::string(fetched.status().message())));
  }
  Answer answer{.status = fetched->status};
  const google::protobuf::Struct object = ParseObject(fetched->body);
  for (const auto& [name, value] : object.fields()) {
    if (value.has_string_value()) answer.texts[name] = value.string_value();
    if (value.has_number_value()) answer.numbers[name] = value.number_value();
  }
  return answer;
}

// In the issuer's words.
absl::Status Provider::Refusal(const Answer& answer, const std::string& what) const {
  const std::string error = Printable(At(answer.texts, "error").substr(0, 100));
  const std::string more = Printable(At(answer.texts, "error_description").substr(0, 300));
  const std::string message =
      absl::StrCat(Printable(issuer_), " ", what, ": ",
                   error.empty() ? absl::StrCat("HTTP status ", answer.status) : error,
                   more.empty() ? "" : absl::StrCat(" (", more, ")"));
  return answer.status >= 500 ? absl::UnavailableError(message)
                              : absl::UnauthenticatedError(message);
}

absl::Status Provider::Discover() {
  if (absl::Status right = CheckUrl(issuer_, /*may_have_query=*/false); !right.ok()) return right;
  const std::string url =
      absl::StrCat(issuer_, issuer_.ends_with('/') ? "" : "/", ".well-known/openid-configuration");
  const absl::StatusOr<Answer> answer = Ask(url, {});
  if (!answer.ok()) return answer.status();
  if (answer->status != 200) return Refusal(*answer, "cannot be asked");
  if (At(answer->texts, "issuer") != issuer_) {
    return absl::FailedPreconditionError(absl::StrCat(
        Printable(url),
        " is of another issuer: ", Quoted(At(answer->texts, "issuer").substr(0, 300))));
  }
  for (const char* name :
       {"token_endpoint", "device_authorization_endpoint", "revocation_endpoint"}) {
    const std::string endpoint = At(answer->texts, name);
    const bool is_safe = CheckUrl(endpoint).ok() &&
                         (!issuer_.starts_with("https://") || endpoint.starts_with("https://"));
    if (is_safe) endpoints_[name] = endpoint;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> Provider::Endpoint(const std::string& name) const {
  const auto found = endpoints_.find(name);
  if (found != endpoints_.end()) return found->second;
  return absl::FailedPreconditionError(
      absl::StrCat(Printable(issuer_), " has no ", name, ", or one that is not encrypted"));
}

absl::StatusOr<DeviceCode> Provider::BeginSignIn(const std::string& scope) {
  const absl::StatusOr<std::string> endpoint = Endpoint("device_authorization_endpoint");
  if (!endpoint.ok()) return endpoint.status();
  const absl::StatusOr<Answer> answer =
      Ask(*endpoint, {{"client_id", client_id_}, {"scope", scope}});
  if (!answer.ok()) return answer.status();
  if (answer->status != 200) return Refusal(*answer, "begins no sign-in");
  DeviceCode code{.code = At(answer->texts, "device_code"),
                  .user_code = At(answer->texts, "user_code"),
                  .address = At(answer->texts, "verification_uri"),
                  .whole_address = At(answer->texts, "verification_uri_complete")};
  if (code.code.empty() || code.user_code.empty() || !CheckUrl(code.address).ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat(Printable(issuer_), " has answered without a code, or with no address"));
  }
  if (!CheckUrl(code.whole_address).ok()) code.whole_address = "";
  code.expires =
      Clock::System()->Steady() + SecondsAt(answer->numbers, "expires_in", 600, kLongestCode);
  code.interval = SecondsAt(answer->numbers, "interval", 5, kLongestInterval);
  return code;
}

absl::StatusOr<Tokens> Provider::AwaitSignIn(DeviceCode code,
                                             const std::function<void(absl::Duration)>& wait) {
  const absl::StatusOr<std::string> endpoint = Endpoint("token_endpoint");
  if (!endpoint.ok()) return endpoint.status();
  while (Clock::System()->Steady() < code.expires) {
    wait(code.interval);
    absl::StatusOr<Answer> answer =
        Ask(*endpoint,
            {{"grant_type", kDeviceGrant}, {"device_code", code.code}, {"client_id", client_id_}});
    // A connection that fails is tried again, more slowly: RFC 8628, 3.5.
    if (absl::IsUnavailable(answer.status()) || (answer.ok() && answer->status >= 500)) {
      code.interval = std::min(code.interval * 2, kLongestInterval);
      continue;
    }
    if (!answer.ok()) return answer.status();
    if (answer->status == 200) return ToTokens(*answer);
    const std::string error = At(answer->texts, "error");
    if (error == "slow_down") code.interval += absl::Seconds(5);
    if (error == "slow_down" || error == "authorization_pending") continue;
    if (error == "access_denied") {
      return absl::UnauthenticatedError("the sign-in was refused, by you or by the issuer");
    }
    if (error == "expired_token") break;
    return Refusal(*answer, "does not take the sign-in");
  }
  return absl::DeadlineExceededError(
      "nobody has signed in with the code before it expired; run jobtail login again");
}

absl::StatusOr<Tokens> Provider::ToTokens(const Answer& answer) const {
  Tokens tokens{.id_token = At(answer.texts, "id_token"),
                .refresh_token = At(answer.texts, "refresh_token")};
  if (!tokens.id_token.empty()) return tokens;
  return absl::FailedPreconditionError(
      absl::StrCat(Printable(issuer_), " has answered without an ID token"));
}

absl::StatusOr<Tokens> Provider::Refresh(const std::string& refresh_token) {
  const absl::StatusOr<std::string> endpoint = Endpoint("token_endpoint");
  if (!endpoint.ok()) return endpoint.status();
  absl::StatusOr<Answer> answer = Ask(*endpoint, {{"grant_type", "refresh_token"},
                                                  {"refresh_token", refresh_token},
                                                  {"client_id", client_id_}});
  if (!answer.ok()) return answer.status();
  if (answer->status != 200) return Refusal(*answer, "gives no new token");
  absl::StatusOr<Tokens> tokens = ToTokens(*answer);
  if (tokens.ok() && tokens->refresh_token.empty()) tokens->refresh_token = refresh_token;
  return tokens;
}

absl::Status Provider::Revoke(const std::string& refresh_token) {
  const absl::StatusOr<std::string> endpoint = Endpoint("revocation_endpoint");
  if (!endpoint.ok()) return endpoint.status();
  const absl::StatusOr<Answer> answer = Ask(
      *endpoint,
      {{"token", refresh_token}, {"token_type_hint", "refresh_token"}, {"client_id", client_id_}});
  if (!answer.ok()) return answer.status();
  return answer->status == 200 ? absl::OkStatus() : Refusal(*answer, "does not revoke the token");
}

absl::Time ExpiryOf(const std::string& token) {
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  std::string payload;
  if (parts.size() != 3 || !absl::WebSafeBase64Unescape(parts[1], &payload)) {
    return absl::InfinitePast();
  }
  const google::protobuf::Struct object = ParseObject(payload);
  const auto found = object.fields().find("exp");
  if (found == object.fields().end()) return absl::InfinitePast();
  return absl::UnixEpoch() + absl::Seconds(found->second.number_value());
}

}  // namespace jobtail::client
