// The form of cookies.
#include "server/http/cookie.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace jobtail::http {
namespace {

// With the first beginning, browsers take it over TLS alone, for all paths, and from this very
// host; with the second over TLS alone.
absl::string_view NameFor(const CookieScope& scope) {
  if (!scope.is_tls) return "jobtail-session";
  return scope.path == "/" ? "__Host-jobtail-session" : "__Secure-jobtail-session";
}

}  // namespace

std::string SessionCookie(std::string_view secret, const CookieScope& scope) {
  return absl::StrCat(NameFor(scope), "=", absl::string_view(secret.data(), secret.size()),
                      "; Path=", scope.path, "; HttpOnly; SameSite=Strict",
                      scope.is_tls ? "; Secure" : "", secret.empty() ? "; Max-Age=0" : "");
}

std::string SessionIn(std::string_view cookies, const CookieScope& scope) {
  const absl::string_view name = NameFor(scope);
  for (const absl::string_view cookie :
       absl::StrSplit(absl::string_view(cookies.data(), cookies.size()), ';')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(absl::StripAsciiWhitespace(cookie), absl::MaxSplits('=', 1));
    if (parts.first == name) return std::string(parts.second);
  }
  return "";
}

}  // namespace jobtail::http
