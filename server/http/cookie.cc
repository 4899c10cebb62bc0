// The form of cookies.
#include "server/http/cookie.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace jobtail::http {
namespace {

// With this beginning, browsers take it over TLS alone, and from this very host.
constexpr char kTlsName[] = "__Host-jobtail-session";
constexpr char kName[] = "jobtail-session";

}  // namespace

std::string SessionCookie(std::string_view secret, bool is_tls) {
  return absl::StrCat(is_tls ? kTlsName : kName, "=",
                      absl::string_view(secret.data(), secret.size()),
                      "; Path=/; HttpOnly; SameSite=Strict", is_tls ? "; Secure" : "",
                      secret.empty() ? "; Max-Age=0" : "");
}

std::string SessionIn(std::string_view cookies, bool is_tls) {
  const absl::string_view name = is_tls ? kTlsName : kName;
  for (const absl::string_view cookie :
       absl::StrSplit(absl::string_view(cookies.data(), cookies.size()), ';')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(absl::StripAsciiWhitespace(cookie), absl::MaxSplits('=', 1));
    if (parts.first == name) return std::string(parts.second);
  }
  return "";
}

}  // namespace jobtail::http
