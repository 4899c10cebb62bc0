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
  std::string_view method = {};
  std::string_view host = {};          // Host
  std::string_view origin = {};        // Origin
  std::string_view referer = {};       // Referer
  std::string_view fetch_site = {};    // Sec-Fetch-Site
  std::string_view content_type = {};  // Content-Type
  bool has_body = false;
  bool on_loopback = false;           // the connection's own end
  std::string_view own_address = {};  // of that; empty for a unix socket
};

// Keeps pages of other sites from using a server that the browser's user can reach, and they
// cannot. Errors are PERMISSION_DENIED and say which option would allow it.

// Against DNS rebinding: a name that an attacker has pointed at this server. Elsewhere than on
// loopback, what is taken without being configured is the address alone that the client has
// connected to.
absl::Status CheckHost(const Provenance& from, const HttpOptions& options);

// Against forms and scripts of other sites, for requests that change something.
absl::Status CheckOrigin(const Provenance& from, const HttpOptions& options);

// The same for the form of a page without script, whose body is no JSON.
absl::Status CheckForm(const Provenance& from, const HttpOptions& options);

// Whether a form that CheckForm lets pass is known to be that of a page of ours: the browser names
// its origin, which no page can make up. One that says nothing may be anybody's.
bool IsFromOwnPage(const Provenance& from);

// 127.0.0.1 and its like, also where it is written as an IPv6 address ("::ffff:127.0.0.1").
bool IsLoopback(const boost::asio::ip::address& address);

// Whether a Host's name means whichever machine it is used on, or is an IP address.
bool IsOwnName(std::string_view name);

// Whether a page of that origin may read answers.
bool IsAllowedOrigin(std::string_view origin, const HttpOptions& options);

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_GUARD_H_
