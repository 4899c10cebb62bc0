// Counters of each connection, which its calls share.
#include "server/rpc/handled_calls.h"

#include <optional>
#include <utility>

namespace jobtail {

void HandledCalls::Began(const Client& client) {
  auto connection = std::make_shared<Connection>();
  absl::MutexLock lock(&mutex_);
  connections_.insert_or_assign(client, std::move(connection));
}

void HandledCalls::Ended(const Client& client) {
  absl::MutexLock lock(&mutex_);
  connections_.erase(client);
}

// A shared_ptr without an object calls its deleter all the same.
HandledCalls::Call HandledCalls::Begin(const std::string& peer, size_t bytes) {
  const std::optional<Client> client = ClientOf(peer);
  if (!client) return nullptr;
  auto connection = Find(*client);
  if (!connection) return nullptr;
  ++connection->open;
  ++connection->calls;
  connection->bytes += bytes;
  return Call(nullptr,
              [connection = std::move(connection)](std::nullptr_t) { --connection->open; });
}

absl::flat_hash_map<HandledCalls::Client, HandledCalls::Counts> HandledCalls::All() const {
  absl::flat_hash_map<Client, Counts> all;
  absl::MutexLock lock(&mutex_);
  all.reserve(connections_.size());
  for (const auto& [client, connection] : connections_) all.emplace(client, connection->Get());
  return all;
}

HandledCalls::Counts HandledCalls::Of(const Client& client) const {
  const auto connection = Find(client);
  return connection ? connection->Get() : Counts();
}

std::shared_ptr<HandledCalls::Connection> HandledCalls::Find(const Client& client) const {
  absl::MutexLock lock(&mutex_);
  const auto found = connections_.find(client);
  return found == connections_.end() ? nullptr : found->second;
}

}  // namespace jobtail
