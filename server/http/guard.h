// Who may ask for what: the browser's protection against other sites' pages.
#ifndef JOBTAIL_SERVER_HTTP_GUARD_H_
#define JOBTAIL_SERVER_HTTP_GUARD_H_

#include <boost/asio/ip/address.hpp>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "server/http/options.h"

namespace jobtail::http {

// What a browser tells about a request that pages may not make up: empty where there is no such
// header.
struct Provenance {
  std::string_view method;
  std::string_view host;          // Host
  std::string_view origin;        // Origin
  std::string_view referer;       // Referer
  std::string_view fetch_site;    // Sec-Fetch-Site
  std::string_view content_type;  // Content-Type
  std::string_view purpose;       // Sec-Purpose, or Purpose
  std::string_view user_agent;    // User-Agent
  bool has_body = false;
  bool on_loopback = false;  // the connection's own end
};

// Keeps pages of other sites from using a server that the browser's user can reach, and they
// cannot. Errors are PERMISSION_DENIED and say which option would allow it.

// Against DNS rebinding: a name that an attacker has pointed at this server.
absl::Status CheckHost(const Provenance& from, const HttpOptions& options);

// Against forms and scripts of other sites, for requests that change something.
absl::Status CheckOrigin(const Provenance& from, const HttpOptions& options);

// The same for an address that changes something when it is merely visited: links and images of
// other sites lead there, too, and browsers fetch in advance.
absl::Status CheckNavigation(const Provenance& from, const HttpOptions& options);

// Whether a request that CheckNavigation lets pass is known to be its sender's own wish. Browsers
// say on whose behalf they ask (Sec-Fetch-Site) to https and to this machine alone; in plain HTTP
// from elsewhere a page of another site may look just like somebody who has typed the address, or
// like curl.
bool IsKnownToBeMeant(const Provenance& from);

// 127.0.0.1 and its like, also where it is written as an IPv6 address ("::ffff:127.0.0.1").
bool IsLoopback(const boost::asio::ip::address& address);

// Whether a Host's name means whichever machine it is used on, or is an IP address.
bool IsOwnName(std::string_view name);

// Whether a page of that origin may read answers.
bool IsAllowedOrigin(std::string_view origin, const HttpOptions& options);

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_GUARD_H_
