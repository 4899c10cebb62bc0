#ifndef JOBTAIL_SERVER_HTTP_GUARD_H_
#define JOBTAIL_SERVER_HTTP_GUARD_H_

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
  bool has_body = false;
  bool on_loopback = false;  // the connection's own end
};

// Keeps pages of other sites from using a server that the browser's user can reach, and they
// cannot. Errors are PERMISSION_DENIED and say which option would allow it.

// Against DNS rebinding: a name that an attacker has pointed at this server.
absl::Status CheckHost(const Provenance& from, const HttpOptions& options);

// Against forms and scripts of other sites, for requests that change something.
absl::Status CheckOrigin(const Provenance& from, const HttpOptions& options);

// The same for a GET that changes something, which links and images can make, too.
absl::Status CheckNavigation(const Provenance& from, const HttpOptions& options);

// Whether a page of that origin may read answers.
bool IsAllowedOrigin(std::string_view origin, const HttpOptions& options);

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_GUARD_H_
