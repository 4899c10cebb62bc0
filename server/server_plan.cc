// Limits of descriptors and memory, put into options.
#include "server/server_plan.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "server/memory_plan.h"
#include "server/rpc/grpc_server.h"

namespace jobtail {
namespace {

// TLS handshakes that may be under way, however few connections there may be.
constexpr size_t kFewHandshakes = 16;

}  // namespace

DescriptorPlan PlanDescriptorsFor(const ServerOptions& options) {
  return PlanDescriptors(DescriptorLimit(), options.engine.max_active_runs,
                         options.http.max_connections);
}

ServerOptions Planned(ServerOptions options) {
  const DescriptorPlan plan = PlanDescriptorsFor(options);
  RocksDbOptions& store = options.store;
  store.max_open_files = std::min(store.max_open_files, plan.store_files);
  if (options.memory_bytes == 0) options.memory_bytes = MemoryOfSystem();
  const MemoryPlan memory = PlanMemory(options.memory_bytes);
  EngineOptions& engine = options.engine;
  store.cache_bytes = std::min(store.cache_bytes, memory.store_cache);
  store.write_buffer_bytes = std::min(store.write_buffer_bytes, memory.store_write_buffer);
  engine.cache_bytes = std::min(engine.cache_bytes, memory.batch_cache);
  engine.log.tail_bytes = std::min(engine.log.tail_bytes, memory.log_tail);
  engine.unsaved_bytes = std::min(engine.unsaved_bytes, memory.unsaved);
  return options;
}

ConnectionLimits PlanConnections(const ServerOptions& planned, size_t connections, bool has_tls) {
  constexpr size_t kMost = std::numeric_limits<int64_t>::max();
  const MemoryPlan memory = PlanMemory(planned.memory_bytes);
  PendingHandshakes::Limits handshakes;
  if (has_tls) {
    handshakes.total = std::max<size_t>(kFewHandshakes, connections / 4);
    handshakes.of_address = handshakes.total / 2;
    handshakes.time = GrpcServer::kHandshakeTime;
  }
  return {.connections = connections,
          .connections_of_address = std::max<size_t>(1, connections - connections / 4),
          .handshakes = handshakes,
          .newcomers = KnowsCallers(planned) ? access::AddressPlaces::Limits::Of(connections)
                                             : access::AddressPlaces::Limits(),
          .requests = {.connection = memory.unfinished_of_connection,
                       .address = memory.unfinished_of_address},
          .resident_bytes = static_cast<int64_t>(std::min(planned.memory_bytes, kMost))};
}

}  // namespace jobtail
