// Sends a browser to the issuer, and makes a session of what it comes back with.
#include "server/http/login.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/connection_name.h"
#include "base/fetch/url.h"
#include "base/utf8.h"
#include "server/access/secret.h"
#include "server/http/cookie.h"
#include "server/http/html.h"
#include "server/http/query.h"
#include "server/http/static_files.h"
#include "server/oidc/sign_in.h"
#include "server/stream/byte_budget.h"

namespace jobtail::http {
namespace {

using IssuerPtr = std::shared_ptr<oidc::Issuer>;

constexpr char kPage[] = "text/html; charset=utf-8";
constexpr size_t kMostReturnBytes = 1024;

// What the cookie says.
struct Begun {
  std::string secret;
  std::string issuer;  // its name_prefix, which no two have
  std::string to;      // where the browser goes on
};

std::string ToCookie(const Begun& begun) {
  return absl::StrCat(begun.secret, ".", absl::WebSafeBase64Escape(begun.issuer), ".",
                      absl::WebSafeBase64Escape(begun.to));
}

std::optional<Begun> FromCookie(const std::string& cookie) {
  const std::vector<std::string> parts = absl::StrSplit(cookie, '.');
  Begun begun;
  if (parts.size() != 3 || parts[0].empty() ||
      !absl::WebSafeBase64Unescape(parts[1], &begun.issuer) ||
      !absl::WebSafeBase64Unescape(parts[2], &begun.to)) {
    return std::nullopt;
  }
  begun.secret = parts[0];
  return begun;
}

// The one value; empty if there is none, or more than one.
std::string ValueOf(const Query& query, const std::string& name) {
  const auto is_it = [&name](const auto& field) { return field.first == name; };
  const auto found = std::ranges::find_if(query, is_it);
  return std::ranges::count_if(query, is_it) == 1 ? found->second : "";
}

// An address of the console page's own; otherwise the page's beginning. Nobody is sent elsewhere.
std::string PageOr(const std::string& to) {
  const bool is_plain = to.size() <= kMostReturnBytes &&
                        std::ranges::all_of(to, [](char c) { return c > ' ' && c <= '~'; });
  return is_plain && IsPage(to.substr(0, to.find_first_of("?#"))) ? to : "/";
}

std::string RedirectUri(const Request& request) {
  return request.home + std::string(kCallbackPath.substr(1));
}

Reply GoTo(std::string location) {
  Reply reply;
  reply.status = 303;
  reply.content_type = kPage;
  reply.location = std::move(location);
  return reply;
}

absl::Status NotBegun() {
  return absl::InvalidArgumentError(
      "no sign-in is under way in this browser, or it has taken longer than ten minutes, or "
      "another one was begun; begin again");
}

// Of RFC 9207: which issuer has sent the browser back. Another one may have, to have its code used
// here.
bool IsFrom(const oidc::Issuer& issuer, const Query& query) {
  const std::string named = ValueOf(query, "iss");
  if (!named.empty()) return named == issuer.settings().issuer;
  const auto metadata = issuer.metadata();
  return metadata.ok() && !metadata->names_itself;
}

}  // namespace

bool IsLoginPath(std::string_view path) {
  return path == kIssuersPath || path == kLoginPath || path == kCallbackPath;
}

absl::StatusOr<Login::Place> Login::Enter(std::string_view connection) {
  const std::string address = ClientAddress(connection);
  absl::MutexLock lock(&mutex_);
  if (!waiting_.HasRoom(address, kMostWaiting, kMostOfAddress)) {
    return absl::ResourceExhaustedError("too many sign in at the moment; try again soon");
  }
  waiting_.Add(address);
  return Place(this, [address](void* login) { static_cast<Login*>(login)->Leave(address); });
}

void Login::Leave(const std::string& address) {
  absl::MutexLock lock(&mutex_);
  waiting_.Remove(address);
}

Reply Login::Answer(const Request& request) {
  if (request.path == kIssuersPath) return ListIssuers();
  absl::StatusOr<Reply> reply = request.path == kCallbackPath ? Finish(request) : Begin(request);
  return reply.ok() ? *std::move(reply) : Refuse(request, reply.status());
}

Reply Login::Refuse(const Request& request, const absl::Status& why) const {
  Reply error = ErrorReply(why);
  error.content_type = kPage;
  error.body = HtmlSignInError(ToUtf8(std::string(why.message()), 2000), RootOf(request.path));
  return error;
}

Reply Login::ListIssuers() const {
  google::protobuf::Struct answer;
  auto& list = *(*answer.mutable_fields())["issuers"].mutable_list_value();
  for (const IssuerPtr& issuer : access_->issuers()->ForPeople()) {
    auto& fields = *list.add_values()->mutable_struct_value()->mutable_fields();
    const oidc::Settings& settings = issuer->settings();
    fields["name"].set_string_value(settings.name);
    fields["path"].set_string_value(WithQuery(kLoginPath, {{"issuer", settings.name_prefix}}));
  }
  Reply reply;
  if (!google::protobuf::util::MessageToJsonString(answer, &reply.body).ok()) {
    return ErrorReply(absl::InternalError("an issuer's name is no UTF-8"));
  }
  return reply;
}

absl::StatusOr<Reply> Login::Begin(const Request& request) const {
  const absl::StatusOr<Query> query = ParseQuery(request.query);
  if (!query.ok()) return query.status();
  const IssuerPtr issuer = access_->issuers()->FindByPrefix(ValueOf(*query, "issuer"));
  if (!issuer || issuer->settings().client_id.empty()) {
    return absl::NotFoundError("nobody signs in here with that issuer");
  }
  const Begun begun = {.secret = access::RandomHex(32),
                       .issuer = issuer->settings().name_prefix,
                       .to = PageOr(ValueOf(*query, "to"))};
  absl::StatusOr<std::string> url =
      oidc::AuthorizationUrl(*issuer, oidc::Attempt(begun.secret), RedirectUri(request));
  if (!url.ok()) return url.status();
  Reply reply = GoTo(*std::move(url));
  reply.set_cookies = {LoginCookie(ToCookie(begun), request.cookie)};
  return reply;
}

absl::StatusOr<Reply> Login::Finish(const Request& request) {
  const absl::StatusOr<Query> query = ParseQuery(request.query);
  if (!query.ok()) return query.status();
  const std::optional<Begun> begun = FromCookie(request.login);
  if (!begun || !oidc::Attempt(begun->secret).IsState(ValueOf(*query, "state"))) {
    return NotBegun();
  }
  const oidc::Attempt attempt(begun->secret);
  const IssuerPtr issuer = access_->issuers()->FindByPrefix(begun->issuer);
  if (!issuer || issuer->settings().client_id.empty()) return NotBegun();
  absl::StatusOr<oidc::Claims> claims;
  if (!IsFrom(*issuer, *query)) {
    claims = absl::UnauthenticatedError("another issuer has sent this browser; begin again");
  } else if (const std::string error = ValueOf(*query, "error"); !error.empty()) {
    claims = absl::UnauthenticatedError(
        absl::StrCat(issuer->settings().name, " has not signed you in: ", ToUtf8(error, 100), " ",
                     ToUtf8(ValueOf(*query, "error_description"), 300)));
  } else {
    claims = oidc::Exchange(issuer.get(), &fetcher_, attempt, ValueOf(*query, "code"),
                            RedirectUri(request));
  }
  const absl::StatusOr<std::string> session =
      access_->SignIn(CredentialsOf(request), *issuer, claims);
  if (!session.ok()) return session.status();
  Reply reply = GoTo(absl::StrCat(request.cookie.path, PageOr(begun->to).substr(1)));
  reply.set_cookies = {SessionCookie(*session, request.cookie), LoginCookie("", request.cookie)};
  return reply;
}

}  // namespace jobtail::http
