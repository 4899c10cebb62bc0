// What came, less what handlers were given.
#include "server/rpc/unfinished_requests.h"

#include <algorithm>

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
    if (connection.held > limits_.connection) Correct(client, &connection);
    if (connection.held > limits_.connection) beyond.push_back(client);
    addresses[client.first] += connection.held;
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

// Handlers are asked first: a call that one is given meanwhile counts as if it had none yet.
void UnfinishedRequests::Correct(const Client& client, Connection* connection) const {
  const int64_t open = handled_->Of(client).open;
  const int64_t unfinished = std::max<int64_t>(0, held_(client).value_or(0) - open);
  connection->held = std::min(connection->held, unfinished * limits_.call);
}

void UnfinishedRequests::FindInAddress(const std::string& address, std::vector<Client>* beyond) {
  std::vector<Connections::iterator> found;
  int64_t all = 0;
  for (auto each = connections_.begin(); each != connections_.end(); ++each) {
    if (each->first.first != address || each->second.held == 0) continue;
    all += each->second.held;
    found.push_back(each);
  }
  std::ranges::sort(found,
                    [](const auto& a, const auto& b) { return a->second.held > b->second.held; });
  int64_t most = 0;
  for (const auto& each : found) {
    if (all <= limits_.address) return;  // what is left of it is no more than that
    all -= each->second.held;
    Correct(each->first, &each->second);
    all += each->second.held;
    most = std::max(most, each->second.held);
  }
  if (all <= limits_.address) return;
  for (const auto& each : found) {
    if (each->second.held >= most / 2) beyond->push_back(each->first);
  }
}

}  // namespace jobtail
