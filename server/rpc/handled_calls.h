// What handlers have been given of each gRPC connection.
#ifndef JOBTAIL_SERVER_RPC_HANDLED_CALLS_H_
#define JOBTAIL_SERVER_RPC_HANDLED_CALLS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "server/rpc/open_connections.h"

namespace jobtail {

// Counts the calls whose requests have come as a whole, which is when gRPC has a handler begin, and
// their bytes. Thread-safe.
class HandledCalls {
 public:
  using Client = OpenConnections::Client;

  struct Counts {
    uint64_t bytes = 0;  // of requests and metadata
    uint64_t calls = 0;  // since the connection began
    int64_t open = 0;    // of them, those that a handler still has
  };

  // A call that a handler has, for as long as this lives; null of a connection that is not known.
  using Call = std::shared_ptr<const void>;

  // A connection begins, or is over.
  void Began(const Client& client) ABSL_LOCKS_EXCLUDED(mutex_);
  void Ended(const Client& client) ABSL_LOCKS_EXCLUDED(mutex_);

  // A handler has a call, with so many bytes, of the connection of that peer, as gRPC names it.
  Call Begin(const std::string& peer, size_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);

  // Of each connection that is known; and of one, zeros if it is not.
  absl::flat_hash_map<Client, Counts> All() const ABSL_LOCKS_EXCLUDED(mutex_);
  Counts Of(const Client& client) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Connection {
    std::atomic<uint64_t> bytes = 0;
    std::atomic<uint64_t> calls = 0;
    std::atomic<int64_t> open = 0;

    Counts Get() const { return {.bytes = bytes, .calls = calls, .open = open}; }
  };

  std::shared_ptr<Connection> Find(const Client& client) const ABSL_LOCKS_EXCLUDED(mutex_);

  mutable absl::Mutex mutex_;
  absl::flat_hash_map<Client, std::shared_ptr<Connection>> connections_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_HANDLED_CALLS_H_
