// The text that Prometheus fetches.
#ifndef JOBTAIL_SERVER_METRICS_METRICS_H_
#define JOBTAIL_SERVER_METRICS_METRICS_H_

#include <prometheus/registry.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "jobtail/v1/run.pb.h"
#include "server/stream/stream_stats.h"

namespace jobtail {

// Of asking who calls; all since the start.
struct AccessFigures {
  int64_t failed_authentications = 0;
  int64_t refused_authentications = 0;  // of these, from addresses that fail too often
  int64_t refused_calls = 0;            // beyond their principal's rate
  int64_t refused_places = 0;           // runs, streams and so on beyond their principal's limit
  int64_t unproven_connections = 0;     // open now, of whom nobody has proved who they are
  int64_t failed_reloads = 0;
  int64_t failed_key_fetches = 0;  // from OpenID Connect issuers
  int64_t audit_failures = 0;      // records that could not be written
};

// Of the certificate that TLS is served with.
struct CertificateFigures {
  double days_left = 0;        // until it expires
  int64_t failed_reloads = 0;  // since the start
  bool is_stale = false;       // what is in the files will not do
};

// How things stand at the moment, as the server has found out.
struct Figures {
  std::map<std::pair<std::string, v1::RunState>, int64_t> runs;  // by job and state
  int64_t refused_runs = 0;
  StreamStats grpc;
  StreamStats http;
  int64_t http_connections = 0;
  int64_t http_refused_connections = 0;
  int64_t grpc_connections = 0;
  int64_t grpc_refused_connections = 0;
  int64_t grpc_unused_connections = 0;
  int64_t waiting_store_calls = 0;
  int64_t http_failed_handshakes = 0;
  bool healthy = true;
  std::optional<int64_t> store_bytes;  // nullopt for a store in memory, or before it is known
  std::optional<CertificateFigures> certificates;  // nullopt without TLS
  std::optional<AccessFigures> access;             // nullopt where nobody is asked
};

// The server's figures in Prometheus's text format: what `registry` has counted, and how things
// stand now. Thread-safe.
std::string MetricsText(const prometheus::Registry& registry, const Figures& figures);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_METRICS_METRICS_H_
