// The HTTP door.
#ifndef JOBTAIL_SERVER_HTTP_HTTP_SERVER_H_
#define JOBTAIL_SERVER_HTTP_HTTP_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/http/options.h"
#include "server/run/engine.h"
#include "server/stream/byte_budget.h"
#include "server/stream/store_pool.h"
#include "server/stream/stream_stats.h"
#include "server/tls/certificate_source.h"

namespace jobtail::http {

struct HttpStats {
  int64_t connections = 0;          // that are open
  int64_t refused_connections = 0;  // beyond the limit, since the start
  int64_t failed_handshakes = 0;    // of TLS, since the start
  int64_t strangers = 0;            // open connections of which nobody has proved whose they are
  StreamStats streams;
};

// The HTTP door to the engine: the API as jobtail_http.yaml maps it, streams in several forms, and
// the console page. One thread serves all connections; what may wait for the store is done in the
// pool, in turns that go by connection.
//
// Requests that are being received and answers that are not sent yet are within the budget; those
// beyond get 429.
//
// Listen, Start, Stop and the destructor are the owner's; the rest is thread-safe. Engine, pool and
// budget outlive it, and the pool works until it has stopped.
class HttpServer {
 public:
  // With `certificates`, which then outlive it, TLS alone is served, but for a unix socket.
  HttpServer(Engine* engine, StorePool* pool, ByteBudget* budget, HttpOptions options,
             CertificateSource* certificates = nullptr);
  // Stops at once, if that has not happened.
  ~HttpServer();

  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Listens; clients wait until Start. INVALID_ARGUMENT for an address that is none, UNAVAILABLE if
  // it cannot be listened on. What it listens at is free again once this object is gone.
  absl::Status Listen();
  // Serves.
  void Start();

  // Accepts no more, and ends every connection: within `grace`, by the engine's clock, those that
  // take what there is for them (streams end with UNAVAILABLE and a resume point), then the others.
  // A second call does nothing.
  void Stop(absl::Duration grace);

  // "http://HOST:PORT/" as it is listened on, "https://" with TLS, or "unix:PATH"; empty before
  // Listen.
  const std::string& url() const;
  // The same of each address.
  const std::vector<std::string>& urls() const;

  HttpStats stats() const;

  // RESOURCE_EXHAUSTED while no connection can be accepted.
  absl::Status CheckHealth() const;

  // Soon ends the streams whose readers may not read on.
  void CheckRights();

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_HTTP_SERVER_H_
