// The form of cookies.
#include "server/http/cookie.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace jobtail::http {
namespace {

// With the first beginning, browsers take it over TLS alone, for all paths, and from this very
// host; with the second over TLS alone.
std::string NameFor(const char* name, const CookieScope& scope) {
  if (!scope.is_tls) return name;
  return absl::StrCat(scope.path == "/" ? "__Host-" : "__Secure-", name);
}

constexpr char kSession[] = "jobtail-session";
constexpr char kLogin[] = "jobtail-login";

std::string Cookie(const char* name, std::string_view value, const CookieScope& scope,
                   const char* more) {
  return absl::StrCat(NameFor(name, scope), "=", absl::string_view(value.data(), value.size()),
                      "; Path=", scope.path, "; HttpOnly", more, scope.is_tls ? "; Secure" : "",
                      value.empty() ? "; Max-Age=0" : "");
}

std::string ValueIn(std::string_view cookies, const std::string& name) {
  for (const absl::string_view cookie :
       absl::StrSplit(absl::string_view(cookies.data(), cookies.size()), ';')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(absl::StripAsciiWhitespace(cookie), absl::MaxSplits('=', 1));
    if (parts.first == name) return std::string(parts.second);
  }
  return "";
}

}  // namespace

std::string SessionCookie(std::string_view secret, const CookieScope& scope) {
  return Cookie(kSession, secret, scope, "; SameSite=Strict");
}

std::string SessionIn(std::string_view cookies, const CookieScope& scope) {
  return ValueIn(cookies, NameFor(kSession, scope));
}

std::string LoginCookie(std::string_view value, const CookieScope& scope) {
  const char* const kept = "; SameSite=Lax; Max-Age=600";
  return Cookie(kLogin, value, scope, value.empty() ? "; SameSite=Lax" : kept);
}

std::string LoginIn(std::string_view cookies, const CookieScope& scope) {
  return ValueIn(cookies, NameFor(kLogin, scope));
}

}  // namespace jobtail::http
