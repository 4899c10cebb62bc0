// Figures as families of metrics.
#include "server/metrics/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <utility>
#include <vector>

namespace jobtail {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

// The families of one answer.
class Families {
 public:
  void Begin(const std::string& name, MetricType type, const std::string& help) {
    families_.push_back({name, help, type, {}});
  }

  void Add(const Labels& labels, int64_t value) { AddReal(labels, static_cast<double>(value)); }

  void AddReal(const Labels& labels, double value) {
    ClientMetric metric;
    metric.label = labels;
    if (families_.back().type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    families_.back().metric.push_back(std::move(metric));
  }

  std::vector<MetricFamily> Take() { return std::move(families_); }

 private:
  std::vector<MetricFamily> families_;
};

void AddRuns(const Figures& figures, Families* families) {
  families->Begin("jobtail_runs", MetricType::Gauge, "Runs that are kept, by job and state.");
  for (const auto& [key, count] : figures.runs) {
    families->Add({{"job", key.first}, {"state", v1::RunState_Name(key.second)}}, count);
  }
  families->Begin("jobtail_refused_runs_total", MetricType::Counter,
                  "Runs refused for limits, a full or failing store, or a shutdown.");
  families->Add({}, figures.refused_runs);
}

void AddStreams(const StreamStats& grpc, const StreamStats& http, Families* families) {
  const auto add = [&](int64_t StreamStats::*figure) {
    families->Add({{"door", "grpc"}}, grpc.*figure);
    families->Add({{"door", "http"}}, http.*figure);
  };
  families->Begin("jobtail_readers", MetricType::Gauge, "Streams that are open.");
  add(&StreamStats::open);
  families->Begin("jobtail_stalled_readers", MetricType::Gauge,
                  "Streams whose client has taken nothing for five seconds.");
  add(&StreamStats::stalled);
  families->Begin("jobtail_sent_batches_total", MetricType::Counter,
                  "Messages sent on streams, each of one or more records.");
  add(&StreamStats::messages);
  families->Begin("jobtail_sent_bytes_total", MetricType::Counter, "Bytes sent on streams.");
  add(&StreamStats::bytes);
}

void AddHttp(const Figures& figures, Families* families) {
  families->Begin("jobtail_http_connections", MetricType::Gauge, "HTTP connections open.");
  families->Add({}, figures.http_connections);
  families->Begin("jobtail_http_refused_connections_total", MetricType::Counter,
                  "HTTP connections beyond the limit.");
  families->Add({}, figures.http_refused_connections);
}

void AddGrpc(const Figures& figures, Families* families) {
  families->Begin("jobtail_grpc_connections", MetricType::Gauge, "gRPC connections open.");
  families->Add({}, figures.grpc_connections);
  families->Begin("jobtail_grpc_refused_connections_total", MetricType::Counter,
                  "gRPC connections beyond the limit, or for which there was no descriptor.");
  families->Add({}, figures.grpc_refused_connections);
  families->Begin("jobtail_grpc_unused_connections_total", MetricType::Counter,
                  "gRPC connections closed before they had made a call, as after a TLS handshake "
                  "that failed.");
  families->Add({}, figures.grpc_unused_connections);
}

void AddStore(const Figures& figures, Families* families) {
  families->Begin("jobtail_waiting_store_calls", MetricType::Gauge,
                  "Calls and reads that wait for one of the threads that may wait for the store.");
  families->Add({}, figures.waiting_store_calls);
  families->Begin("jobtail_store_healthy", MetricType::Gauge,
                  "1 if the store would take something new, 0 if it is full or failing.");
  families->Add({}, figures.healthy ? 1 : 0);
  if (!figures.store_bytes) return;
  families->Begin("jobtail_store_bytes", MetricType::Gauge, "Size of the data directory.");
  families->Add({}, *figures.store_bytes);
}

void AddTls(const Figures& figures, Families* families) {
  if (!figures.certificates) return;
  const CertificateFigures& certificates = *figures.certificates;
  families->Begin("jobtail_tls_certificate_days_left", MetricType::Gauge,
                  "Days until the certificate that is served with expires.");
  families->AddReal({}, certificates.days_left);
  families->Begin("jobtail_tls_failed_reloads_total", MetricType::Counter,
                  "Times that the certificate's files had changed to what will not do.");
  families->Add({}, certificates.failed_reloads);
  families->Begin("jobtail_tls_certificate_stale", MetricType::Gauge,
                  "1 while the files will not do, and those read before are served with.");
  families->Add({}, certificates.is_stale ? 1 : 0);
  families->Begin("jobtail_tls_failed_handshakes_total", MetricType::Counter,
                  "HTTP connections whose handshake failed, or was not finished in time.");
  families->Add({}, figures.http_failed_handshakes);
}

void AddAccess(const AccessFigures& access, Families* families) {
  const auto add = [&](const char* name, const char* help, int64_t value) {
    families->Begin(name, MetricType::Counter, help);
    families->Add({}, value);
  };
  add("jobtail_failed_authentications_total", "Calls that did not prove who made them.",
      access.failed_authentications);
  add("jobtail_refused_authentications_total",
      "Of these, those from addresses that fail too often.", access.refused_authentications);
  add("jobtail_refused_calls_total", "Calls beyond their principal's rate.", access.refused_calls);
  add("jobtail_refused_places_total",
      "Runs, streams, connections and requests beyond their principal's limit.",
      access.refused_places);
  families->Begin("jobtail_unproven_connections", MetricType::Gauge,
                  "Open connections of which nobody has proved who is at the other end.");
  families->Add({}, access.unproven_connections);
  add("jobtail_access_failed_reloads_total",
      "Times that the access file, or one that it names, was wrong when it was read again.",
      access.failed_reloads);
  add("jobtail_oidc_failed_fetches_total",
      "Times that the keys of an OpenID Connect issuer could not be fetched.",
      access.failed_key_fetches);
  add("jobtail_audit_failures_total", "Audit records that could not be written.",
      access.audit_failures);
}

}  // namespace

std::string MetricsText(const prometheus::Registry& registry, const Figures& figures) {
  Families families;
  AddRuns(figures, &families);
  AddStreams(figures.grpc, figures.http, &families);
  AddHttp(figures, &families);
  AddGrpc(figures, &families);
  AddStore(figures, &families);
  AddTls(figures, &families);
  if (figures.access) AddAccess(*figures.access, &families);
  std::vector<MetricFamily> all = registry.Collect();
  for (MetricFamily& family : families.Take()) all.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(all);
}

}  // namespace jobtail
