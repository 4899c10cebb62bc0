// The limit of open files, divided.
#include "server/descriptor_plan.h"

#include <sys/resource.h>

#include <algorithm>

namespace jobtail {
namespace {

constexpr uint64_t kReserve = 64;
// RocksDB's: more are closed and opened as they are needed. It does not work with a handful.
constexpr uint64_t kMostStoreFiles = 256;
constexpr uint64_t kLeastStoreFiles = 32;
// Of a run that is a process: pipes or sockets for what it prints, and one for its supervisor.
constexpr uint64_t kPerRun = 4;
constexpr uint64_t kMostGrpcConnections = 10'000;

}  // namespace

DescriptorPlan PlanDescriptors(uint64_t limit, int64_t runs, size_t http_connections) {
  limit = std::min(limit, uint64_t{1} << 30);
  const uint64_t store = std::clamp(limit / 4, kLeastStoreFiles, kMostStoreFiles);
  const uint64_t all_runs = std::min(kPerRun * static_cast<uint64_t>(runs), limit / 4);
  const uint64_t taken = kReserve + store + all_runs;
  const uint64_t rest = limit > taken ? limit - taken : 0;
  // Over HTTP each stream is a connection, over gRPC it is not.
  const uint64_t http = std::clamp<uint64_t>(http_connections, 0, rest - rest / 3);
  DescriptorPlan plan;
  plan.store_files = static_cast<int>(store);
  plan.http_connections = std::max<uint64_t>(1, http);
  plan.grpc_connections = std::clamp<uint64_t>(rest - http, 1, kMostGrpcConnections);
  return plan;
}

uint64_t DescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  return limit.rlim_cur;
}

}  // namespace jobtail
