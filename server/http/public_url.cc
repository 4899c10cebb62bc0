// An address, taken apart by hand: only the few forms that make sense here.
#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/host_port.h"
#include "base/quoting.h"
#include "server/http/parse_public_url.h"

namespace jobtail::http {
namespace {

absl::Status NoPublicUrl(std::string_view url, std::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("--public-url=", Quoted(std::string(url)), ": ", std::string(why),
                   "; give what browsers are to have as address, such as "
                   "https://ci.example.com/ or https://ci.example.com/jobs/"));
}

bool IsHostChar(char c) { return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_'; }

// What may stand in a cookie's path, and needs no encoding.
bool IsPathChar(char c) { return IsHostChar(c) || c == '/' || c == '~'; }

bool IsHost(std::string_view host) {
  return !host.empty() && std::ranges::all_of(host, IsHostChar);
}

}  // namespace

absl::StatusOr<PublicUrl> ParsePublicUrl(std::string_view url) {
  PublicUrl parsed;
  if (url.empty()) return parsed;
  const size_t scheme_end = url.find("://");
  const std::string scheme = absl::AsciiStrToLower(std::string(url.substr(0, scheme_end)));
  if (scheme_end == std::string_view::npos || (scheme != "http" && scheme != "https")) {
    return NoPublicUrl(url, "it begins with neither https:// nor http://");
  }
  parsed.is_https = scheme == "https";
  const std::string_view rest = url.substr(scheme_end + 3);
  const size_t path = rest.find('/');
  const std::string authority = absl::AsciiStrToLower(std::string(rest.substr(0, path)));
  parsed.host = std::string(HostOf(authority));
  const bool is_ipv6 = absl::StrContains(parsed.host, ":");
  if (!is_ipv6 && !IsHost(parsed.host)) return NoPublicUrl(url, "it has no name of a host");
  const std::string bare = is_ipv6 ? absl::StrCat("[", parsed.host, "]") : parsed.host;
  if (authority != bare && !ParseHostPort(authority)) return NoPublicUrl(url, "its port is none");
  const std::string default_port = parsed.is_https ? ":443" : ":80";
  parsed.origin = absl::StrCat(scheme, "://", authority == bare + default_port ? bare : authority);
  if (path == std::string_view::npos) return parsed;
  parsed.path = std::string(rest.substr(path));
  if (!std::ranges::all_of(parsed.path, IsPathChar) || absl::StrContains(parsed.path, "//")) {
    return NoPublicUrl(url, "its path has more than letters, digits, \"-._~\" and single slashes");
  }
  if (!absl::EndsWith(parsed.path, "/")) parsed.path += '/';
  return parsed;
}

}  // namespace jobtail::http
