// Connections by client, and what each holds.
#include "server/rpc/connection_owners.h"

#include <optional>
#include <utility>

namespace jobtail {

void ConnectionOwners::Began(const Client& client, absl::Duration now) {
  absl::MutexLock lock(&mutex_);
  // One of the same address and port is over, whether or not that is known.
  connections_.insert_or_assign(
      client, Connection{.since = now, .stranger = newcomers_.Enter(NetworkOf(client.first))});
}

void ConnectionOwners::Ended(const Client& client) {
  absl::MutexLock lock(&mutex_);
  connections_.erase(client);
}

absl::Status ConnectionOwners::Own(const std::string& peer, const access::Principal& owner,
                                   const Enter& enter) {
  const std::optional<Client> client = ClientOf(peer);
  if (!client) return absl::OkStatus();
  absl::MutexLock lock(&mutex_);
  const auto found = connections_.find(*client);
  if (found == connections_.end()) return absl::OkStatus();
  Connection& connection = found->second;
  if (connection.is_owned && connection.owner == owner.name) return absl::OkStatus();
  absl::StatusOr<access::Quotas::Place> place = enter();
  if (!place.ok()) return place.status();
  std::optional<access::AddressPlaces::Place> stranger;
  if (owner.IsAnonymous()) {
    stranger = anonymous_.TryEnter(NetworkOf(client->first));
    if (!stranger) {
      connection.since = -absl::InfiniteDuration();  // makes room for who can say who he is
      return access::TooManyAnonymous();
    }
  }
  connection.place = *std::move(place);
  connection.owner = owner.name;
  connection.is_owned = true;
  connection.stranger = stranger ? *std::move(stranger) : access::AddressPlaces::Place();
  return absl::OkStatus();
}

std::vector<ConnectionOwners::Client> ConnectionOwners::Overdue(absl::Duration now) const {
  std::vector<Client> overdue;
  absl::MutexLock lock(&mutex_);
  for (const auto& [client, connection] : connections_) {
    if (!connection.is_owned && now - connection.since > kPatience) overdue.push_back(client);
  }
  return overdue;
}

}  // namespace jobtail
