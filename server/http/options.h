// What an embedding program says about the HTTP door.
#ifndef JOBTAIL_SERVER_HTTP_OPTIONS_H_
#define JOBTAIL_SERVER_HTTP_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/time_span.h"
#include "server/http/public_url.h"
#include "server/http/static_files.h"
#include "server/tls/socket_access.h"

namespace jobtail::access {
struct Caller;
}  // namespace jobtail::access

namespace jobtail::http {

struct HttpOptions {
  // HOST:PORT; port 0 picks a free one. Or unix:PATH. Empty: no HTTP at all.
  std::string address = "127.0.0.1:8080";
  // Further ones, as the first.
  std::vector<std::string> more_addresses = {};
  // Who may connect to the unix socket, if it is one.
  SocketAccess socket = {};
  // Names, without a port, by which clients may address this server, besides localhost and IP
  // addresses on loopback and, elsewhere, the address that they connect to. Another name is
  // refused: it could be the trick of DNS rebinding.
  std::vector<std::string> allowed_hosts = {};
  // Origins ("https://ci.example.com") whose pages may use the API from a browser.
  std::vector<std::string> allowed_origins = {};
  // The address by which browsers reach this server, where a proxy stands before it: its host is
  // one of `allowed_hosts`, its origin is the server's own, and cookies are for it alone.
  PublicUrl public_url = {};
  // How many connections may be open, three quarters of them of one client address; those beyond
  // are answered with 503 and closed.
  size_t max_connections = 10'000;
  // With TLS: how long a client may take for its handshake, and how many may be under way.
  TimeSpan handshake_timeout = absl::Seconds(10);
  // Half as many of one client address.
  size_t max_handshakes = 512;
  // How long a client may take to send a request, from its first byte to its last.
  TimeSpan request_timeout = absl::Seconds(20);
  // How long a connection may stay open without a request.
  TimeSpan idle_timeout = absl::Seconds(75);
  // With an access file: how long a connection may be nobody's where others want its place.
  TimeSpan newcomer_patience = absl::Seconds(60);
  // The size of a request's header and of its body, in bytes.
  uint32_t max_header_bytes = 16 << 10;
  uint64_t max_body_bytes = 4 << 20;
  // How long a stream may be idle before it is sent a heartbeat.
  TimeSpan heartbeat = absl::Seconds(15);
  // How large the messages of all streams together may be where there are many.
  size_t stream_message_bytes = std::numeric_limits<size_t>::max();
  // The console page. Empty: the one that is built with this program (jobtail::Server), or none at
  // all.
  StaticFiles files = {};
  // What GET /metrics answers, in Prometheus's text format, into `text`. Null: there is no such
  // thing. Called by a thread of its own, with who asks. Must not wait for the store.
  std::function<absl::Status(const access::Caller&, std::string* text)> metrics = nullptr;
  // What GET /readyz answers: OK if the server would take a new run, or why not. Null: it would.
  // Called on the event loop: must not wait for anything.
  std::function<absl::Status()> health = nullptr;
};

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_OPTIONS_H_
