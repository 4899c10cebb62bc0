// The process's size, held against its limit, and what connections receive meanwhile.
#include "server/rpc/load_shedder.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace jobtail {

std::vector<OpenConnections::Client> LoadShedder::Look(const TrafficReading& traffic) {
  const auto before = std::exchange(traffic_, {});
  std::vector<OpenConnections::Client> worst;
  const int64_t resident = resident_();
  const bool is_growing = growth_.Note(resident);
  if (resident <= limit_) return worst;
  traffic_ = traffic.Get();
  if (!is_growing) return worst;
  absl::flat_hash_map<OpenConnections::Client, uint64_t> since;
  uint64_t most = 0;
  for (const auto& [client, now] : traffic_) {
    const auto known = before.find(client);
    if (known == before.end() || now.received < known->second.received + kReceived) continue;
    since[client] = now.received - known->second.received;
    most = std::max(most, since[client]);
  }
  for (const auto& [client, received] : since) {
    if (received >= most / 2) worst.push_back(client);
  }
  return worst;
}

int64_t LoadShedder::ResidentBytes() {
  int64_t size = 0;
  int64_t resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

}  // namespace jobtail
