// Connections that have not made a call yet.
#ifndef JOBTAIL_SERVER_RPC_PENDING_HANDSHAKES_H_
#define JOBTAIL_SERVER_RPC_PENDING_HANDSHAKES_H_

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/tally.h"
#include "server/rpc/open_connections.h"

namespace jobtail {

// Bounds how many TLS handshakes may be under way. gRPC does not tell when one is done, so each
// connection counts from its beginning until it makes a call, is closed, or gRPC gives up those
// that are not done by then. Thread-safe.
class PendingHandshakes {
 public:
  struct Limits {
    size_t total = std::numeric_limits<size_t>::max();
    size_t of_address = std::numeric_limits<size_t>::max();
    absl::Duration time = absl::Seconds(20);  // that gRPC gives one
  };

  explicit PendingHandshakes(const Limits& limits) : limits_(limits) {}

  // Counts a connection that begins, at `now` by a steady clock. False, and not counted, beyond a
  // limit.
  bool Begin(int fd, const OpenConnections::Client& client, absl::Duration now)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // The connection has made a call: "ipv4:127.0.0.1:50000", as gRPC names its peer.
  void Called(const std::string& peer) ABSL_LOCKS_EXCLUDED(mutex_);
  // It was closed.
  void Ended(const OpenConnections::Client& client) ABSL_LOCKS_EXCLUDED(mutex_);

  // Those that were closed before they had made a call, since the start: whose handshake failed, or
  // was not finished in time, among them.
  int64_t unused() const { return unused_; }

 private:
  struct Connection {
    int fd;
    ino_t inode;
    absl::Duration since;
  };

  bool HasRoom(const OpenConnections::Client& client) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Sweep(absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Forget(const OpenConnections::Client& client) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Limits limits_;
  std::atomic<bool> has_some_ = false;
  std::atomic<int64_t> unused_ = 0;
  absl::Mutex mutex_;
  absl::flat_hash_map<OpenConnections::Client, Connection> pending_ ABSL_GUARDED_BY(mutex_);
  Tally addresses_ ABSL_GUARDED_BY(mutex_);  // of those
  absl::Duration swept_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_PENDING_HANDSHAKES_H_
