#ifndef JOBTAIL_SERVER_METRICS_METRICS_H_
#define JOBTAIL_SERVER_METRICS_METRICS_H_

#include <prometheus/registry.h>

#include <functional>
#include <string>

#include "server/http/http_server.h"
#include "server/run/engine.h"
#include "server/run/stream_stats.h"

namespace jobtail {

// Where figures come from that are looked up when somebody asks.
struct MetricsSources {
  const Engine* engine;
  std::function<StreamStats()> grpc;
  std::function<http::HttpStats()> http;
  std::string store_directory;  // empty for a store in memory
};

// The server's figures in Prometheus's text format: what `registry` has counted, and how things
// stand now. Thread-safe.
std::string MetricsText(const prometheus::Registry& registry, const MetricsSources& sources);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_METRICS_METRICS_H_
