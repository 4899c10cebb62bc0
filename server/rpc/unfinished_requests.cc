// What came, less what handlers were given.
#include "server/rpc/unfinished_requests.h"

#include <algorithm>

#include "base/connection_name.h"

namespace jobtail {
namespace {

// What HTTP/2 and TLS add to what is sent to the server; and what a client sends for what it
// receives: acknowledgements, and updates of its windows.
constexpr uint64_t kFramingShare = 32;
constexpr uint64_t kReplyShare = 128;

uint64_t AllowanceOf(const HandledCalls::Counts& handled, uint64_t sent) {
  return handled.bytes + handled.bytes / kFramingShare +
         handled.calls * UnfinishedRequests::kCallAllowance + sent / kReplyShare;
}

}  // namespace

std::vector<UnfinishedRequests::Client> UnfinishedRequests::Look(const TrafficReading& traffic) {
  Note(traffic);
  std::vector<Client> beyond;
  absl::flat_hash_map<std::string, int64_t> addresses;
  for (auto& [client, connection] : connections_) {
    int64_t held = connection.held;
    if (held > limits_.connection) held = Correct(client, &connection);
    if (held > limits_.connection) beyond.push_back(client);
    if (held > 0) addresses[NetworkOf(client.first)] += held;
  }
  for (const auto& [address, held] : addresses) {
    if (held > limits_.address) FindInAddress(address, &beyond);
  }
  std::ranges::sort(beyond);
  beyond.erase(std::unique(beyond.begin(), beyond.end()), beyond.end());
  return beyond;
}

// What handlers were given is asked first: of what they are given meanwhile, the next look knows.
void UnfinishedRequests::Note(const TrafficReading& reading) {
  const auto handled = handled_->All();
  const auto before = std::exchange(connections_, {});
  for (const auto& [client, traffic] : reading.Get()) {
    const auto counts = handled.find(client);
    const uint64_t allowed = AllowanceOf(
        counts == handled.end() ? HandledCalls::Counts() : counts->second, traffic.sent);
    Connection now{.received = traffic.received, .allowed = allowed};
    Connection last;
    if (const auto known = before.find(client); known != before.end()) last = known->second;
    if (now.received < last.received || allowed < last.allowed) last = {};  // it is another one
    const auto more = static_cast<int64_t>(now.received - last.received) -
                      static_cast<int64_t>(allowed - last.allowed);
    now.held = std::max<int64_t>(0, last.held + more);
    connections_.emplace(client, now);
  }
}

// Handlers are asked first: a call that one is given meanwhile counts as if it had none yet. Of
// whom gRPC does not tell, or not yet, nothing counts for now, and nothing is forgotten.
int64_t UnfinishedRequests::Correct(const Client& client, Connection* connection) const {
  const int64_t open = handled_->Of(client).open;
  const std::optional<int64_t> calls = held_(client);
  if (!calls) return 0;
  const int64_t unfinished = std::max<int64_t>(0, *calls - open);
  connection->held = std::min(connection->held, unfinished * limits_.call);
  return connection->held;
}

void UnfinishedRequests::FindInAddress(const std::string& address, std::vector<Client>* beyond) {
  struct Found {
    Connections::iterator connection;
    int64_t held;
  };
  std::vector<Found> found;
  int64_t all = 0;
  for (auto each = connections_.begin(); each != connections_.end(); ++each) {
    if (each->second.held == 0 || NetworkOf(each->first.first) != address) continue;
    all += each->second.held;
    found.push_back({each, each->second.held});
  }
  std::ranges::sort(found, std::ranges::greater(), &Found::held);
  int64_t most = 0;
  for (auto& [connection, held] : found) {
    if (all <= limits_.address) return;  // what is left of it is no more than that
    all -= held;
    held = Correct(connection->first, &connection->second);
    all += held;
    most = std::max(most, held);
  }
  if (all <= limits_.address) return;
  for (const auto& [connection, held] : found) {
    if (held >= most / 2) beyond->push_back(connection->first);
  }
}

}  // namespace jobtail
