// Names, origins and what browsers tell of both.
#include "server/http/guard.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/host_port.h"
#include "base/quoting.h"

namespace jobtail::http {
namespace {

using IpAddress = boost::asio::ip::address;

std::optional<IpAddress> ToAddress(std::string_view name) {
  boost::system::error_code error;
  const IpAddress parsed = boost::asio::ip::make_address(std::string(name), error);
  return error ? std::nullopt : std::optional(parsed);
}

// An IPv4 address, where that is what an IPv6 address says.
IpAddress Unmapped(const IpAddress& any) {
  if (!any.is_v6() || !any.to_v6().is_v4_mapped()) return any;
  return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, any.to_v6());
}

bool IsSameAddress(std::string_view one, std::string_view other) {
  const std::optional<IpAddress> first = ToAddress(one);
  const std::optional<IpAddress> second = ToAddress(other);
  return first && second && Unmapped(*first) == Unmapped(*second);
}

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::any_of(
      names, [&name](const std::string& each) { return absl::EqualsIgnoreCase(each, name); });
}

bool IsSameOrigin(std::string_view origin, std::string_view host) {
  const size_t scheme = origin.find("://");
  return scheme != std::string_view::npos && !host.empty() && origin.substr(scheme + 3) == host;
}

// "http://host:port" of "http://host:port/path".
std::string_view OriginOf(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return url;
  return url.substr(0, url.find('/', scheme + 3));
}

// A page of the server's own has another origin than the Host says where a proxy stands between.
absl::Status Foreign(std::string_view origin) {
  return absl::PermissionDeniedError(absl::StrCat(
      "a page of ", Quoted(origin), " may not do this; if that is this server's own address, by ",
      "way of a proxy, start the server with --public-url and that address; if it is another ",
      "site's that is to be allowed, with --http-allow-origin"));
}

bool IsPublicOrigin(std::string_view origin, const HttpOptions& options) {
  return !origin.empty() && origin == options.public_url.origin;
}

// Whose page has made the request, as far as the browser tells.
absl::Status CheckSite(const Provenance& from, const HttpOptions& options) {
  const std::string_view origin = !from.origin.empty() ? from.origin : OriginOf(from.referer);
  const bool is_known = IsAllowedOrigin(origin, options);
  if (!origin.empty() && !is_known && !IsSameOrigin(origin, from.host) &&
      !IsPublicOrigin(origin, options)) {
    return Foreign(origin);
  }
  const bool is_foreign = from.fetch_site == "cross-site" || from.fetch_site == "same-site";
  if (is_foreign && !is_known) return Foreign(origin.empty() ? from.fetch_site : origin);
  return absl::OkStatus();
}

}  // namespace

bool IsAllowedOrigin(std::string_view origin, const HttpOptions& options) {
  return std::ranges::find(options.allowed_origins, origin) != options.allowed_origins.end();
}

bool IsOwnName(std::string_view name) {
  const std::string lower = absl::AsciiStrToLower(std::string(name));
  return lower == "localhost" || absl::EndsWith(lower, ".localhost") || ToAddress(lower);
}

absl::Status CheckHost(const Provenance& from, const HttpOptions& options) {
  const std::string name(HostOf(from.host));
  const bool is_own = from.on_loopback ? IsOwnName(name) : IsSameAddress(name, from.own_address);
  if (is_own || Contains(options.allowed_hosts, name) ||
      (!name.empty() && absl::EqualsIgnoreCase(name, options.public_url.host))) {
    return absl::OkStatus();
  }
  return absl::PermissionDeniedError(absl::StrCat(
      "Host ", Quoted(from.host), " is not a name of this server; use ",
      from.on_loopback ? "localhost or an IP address" : "the address that you connect to",
      ", or start the server with --http-allow-host and that name, behind a proxy with ",
      "--public-url"));
}

absl::Status CheckOrigin(const Provenance& from, const HttpOptions& options) {
  if (absl::Status site = CheckSite(from, options); !site.ok()) return site;
  const std::string type = absl::AsciiStrToLower(
      std::string(from.content_type.substr(0, from.content_type.find_first_of("; "))));
  const bool is_plain = type.empty() && !from.has_body;
  if (!is_plain && type != "application/json") {
    return absl::InvalidArgumentError(
        absl::StrCat("Content-Type ", Quoted(from.content_type), ": give application/json"));
  }
  return absl::OkStatus();
}

absl::Status CheckForm(const Provenance& from, const HttpOptions& options) {
  return CheckSite(from, options);
}

bool IsFromOwnPage(const Provenance& from) {
  return !from.origin.empty() || !from.referer.empty() || from.fetch_site == "same-origin";
}

bool IsLoopback(const boost::asio::ip::address& address) { return Unmapped(address).is_loopback(); }

}  // namespace jobtail::http
