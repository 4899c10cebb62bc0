// Finds the connections that send much while the process grows, and asks how many calls they hold.
#include "server/rpc/call_floods.h"

#include <algorithm>
#include <utility>

namespace jobtail {

std::vector<CallFloods::Client> CallFloods::Look(const TrafficReading& traffic) {
  std::vector<Client> floods;
  if (!growth_.Note(resident_())) {
    traffic_.clear();
    return floods;
  }
  for (const Client& client : FindSuspects(traffic)) {
    if (held_(client).value_or(0) > kMostHeld) floods.push_back(client);
  }
  return floods;
}

std::vector<CallFloods::Client> CallFloods::FindSuspects(const TrafficReading& traffic) {
  const auto before = std::exchange(traffic_, traffic.Get());
  std::vector<std::pair<uint64_t, Client>> found;
  for (const auto& [client, now] : traffic_) {
    const auto known = before.find(client);
    const uint64_t since = now.received - (known == before.end() ? 0 : known->second.received);
    if (since >= kReceived) found.emplace_back(since, client);
  }
  std::ranges::sort(found, std::greater<>());
  std::vector<Client> suspects;
  for (size_t i = 0; i < std::min(found.size(), kSuspects); ++i) {
    suspects.push_back(found[i].second);
  }
  return suspects;
}

}  // namespace jobtail
