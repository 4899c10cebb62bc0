// What /metrics tells of a server.
#include <algorithm>

#include "absl/time/time.h"
#include "base/clock.h"
#include "server/access/access_control.h"
#include "server/server_impl.h"

namespace jobtail {

absl::Status Server::Impl::Metrics(const access::Caller& caller, std::string* text) {
  absl::StatusOr<Engine::RunCounts> runs = engine_.CountRuns(caller);
  if (!runs.ok()) return runs.status();
  metered_.Publish();
  const http::HttpStats http = http_->stats();
  *text =
      MetricsText(registry_, {.runs = *std::move(runs),
                              .refused_runs = engine_.refused_runs(),
                              .grpc = service_.stream_stats(),
                              .http = http.streams,
                              .http_connections = http.connections,
                              .http_refused_connections = http.refused_connections,
                              .grpc_connections = grpc_->acceptor().connections(),
                              .grpc_refused_connections = grpc_->acceptor().refused_connections(),
                              .grpc_unused_connections = grpc_->acceptor().unused_connections(),
                              .waiting_store_calls = pool_.waiting(),
                              .http_failed_handshakes = http.failed_handshakes,
                              .healthy = health_->Get().ok(),
                              .store_bytes = size_ ? size_->bytes() : std::nullopt,
                              .certificates = Certificates(),
                              .access = Access()});
  return absl::OkStatus();
}

std::optional<AccessFigures> Server::Impl::Access() const {
  if (!access_) return std::nullopt;
  const access::Quotas& quotas = *access_->quotas();
  return AccessFigures{.failed_authentications = quotas.failures(),
                       .refused_authentications = quotas.refused_failures(),
                       .refused_calls = quotas.refused_calls(),
                       .refused_places = quotas.refused_places(),
                       .unproven_connections = (grpc_ ? grpc_->acceptor().strangers() : 0) +
                                               (http_ ? http_->stats().strangers : 0),
                       .failed_reloads = access_->failed_reloads(),
                       .failed_key_fetches = access_->issuers()->failed_fetches(),
                       .audit_failures = access_->audit_failures()};
}

std::optional<CertificateFigures> Server::Impl::Certificates() const {
  if (!certificates_) return std::nullopt;
  const CertificateStats stats = certificates_->stats();
  return CertificateFigures{
      .days_left = absl::ToDoubleHours(stats.expires - engine_.clock()->Now()) / 24,
      .failed_reloads = stats.failed_reloads,
      .is_stale = stats.is_stale};
}

}  // namespace jobtail
