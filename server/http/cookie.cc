// The form of cookies.
#include "server/http/cookie.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace jobtail::http {
namespace {

// With this beginning, browsers take it over TLS alone, and from this very host.
constexpr char kTlsPrefix[] = "__Host-";
constexpr char kSession[] = "jobtail-session";
constexpr char kLogin[] = "jobtail-login";

std::string NameOf(const char* name, bool is_tls) {
  return absl::StrCat(is_tls ? kTlsPrefix : "", name);
}

std::string Cookie(const char* name, std::string_view value, bool is_tls, const char* more) {
  return absl::StrCat(NameOf(name, is_tls), "=", absl::string_view(value.data(), value.size()),
                      "; Path=/; HttpOnly", more, is_tls ? "; Secure" : "",
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

std::string SessionCookie(std::string_view secret, bool is_tls) {
  return Cookie(kSession, secret, is_tls, "; SameSite=Strict");
}

std::string SessionIn(std::string_view cookies, bool is_tls) {
  return ValueIn(cookies, NameOf(kSession, is_tls));
}

std::string LoginCookie(std::string_view value, bool is_tls) {
  const char* const kept = "; SameSite=Lax; Max-Age=600";
  return Cookie(kLogin, value, is_tls, value.empty() ? "; SameSite=Lax" : kept);
}

std::string LoginIn(std::string_view cookies, bool is_tls) {
  return ValueIn(cookies, NameOf(kLogin, is_tls));
}

}  // namespace jobtail::http
