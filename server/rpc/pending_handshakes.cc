// Counting those that begin, and finding those that are through.
#include "server/rpc/pending_handshakes.h"

#include <optional>

#include "base/connection_name.h"

namespace jobtail {
namespace {

// It is a system call for each that is pending.
constexpr absl::Duration kSweepAgain = absl::Milliseconds(20);

}  // namespace

bool PendingHandshakes::Begin(int fd, const OpenConnections::Client& client, absl::Duration now) {
  absl::MutexLock lock(&mutex_);
  if (now - swept_ >= limits_.time || (!HasRoom(client) && now - swept_ >= kSweepAgain)) {
    Sweep(now);
  }
  if (!HasRoom(client)) return false;
  const auto [entry, is_new] = pending_.insert_or_assign(client, {fd, InodeOf(fd), now});
  if (is_new) addresses_.Add(NetworkOf(client.first));
  has_some_ = true;
  return true;
}

void PendingHandshakes::Called(const std::string& peer) {
  if (!has_some_) return;
  const std::optional<OpenConnections::Client> client = ClientOf(peer);
  if (!client) return;
  absl::MutexLock lock(&mutex_);
  if (pending_.erase(*client) == 0) return;
  Forget(*client);
  has_some_ = !pending_.empty();
}

void PendingHandshakes::Ended(const OpenConnections::Client& client) {
  if (!has_some_) return;
  absl::MutexLock lock(&mutex_);
  const auto found = pending_.find(client);
  if (found == pending_.end()) return;
  // Another may have begun from the same port since, which goes on counting.
  if (InodeOf(found->second.fd) == found->second.inode) return;
  pending_.erase(found);
  ++unused_;
  Forget(client);
  has_some_ = !pending_.empty();
}

bool PendingHandshakes::HasRoom(const OpenConnections::Client& client) const {
  return addresses_.HasRoom(NetworkOf(client.first), limits_.total, limits_.of_address);
}

void PendingHandshakes::Sweep(absl::Duration now) {
  swept_ = now;
  absl::erase_if(pending_, [&](const auto& entry) {
    mutex_.AssertHeld();
    const auto& [client, connection] = entry;
    const bool is_closed = InodeOf(connection.fd) != connection.inode;
    if (is_closed) ++unused_;
    const bool is_over = is_closed || now - connection.since > limits_.time;
    if (is_over) Forget(client);
    return is_over;
  });
  has_some_ = !pending_.empty();
}

void PendingHandshakes::Forget(const OpenConnections::Client& client) {
  addresses_.Remove(NetworkOf(client.first));
}

}  // namespace jobtail
