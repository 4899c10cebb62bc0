// How many calls gRPC holds of each connection.
#ifndef JOBTAIL_SERVER_RPC_HELD_CALLS_H_
#define JOBTAIL_SERVER_RPC_HELD_CALLS_H_

#include <chrono>
#include <cstdint>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "server/rpc/open_connections.h"

namespace jobtail {

// What gRPC's channelz says of the connections that servers of this process have: the only place
// where a call is counted from its headers on until it is freed, whether or not anybody ever comes
// to it. Asking costs some microseconds. Connections that are not known yet are found together,
// which costs as much for each that there is, and so is done not all the time. Not thread-safe.
class HeldCalls {
 public:
  using Client = OpenConnections::Client;

  // Those that are not freed; nullopt if there is none, or none yet.
  std::optional<int64_t> Of(const Client& client);

 private:
  using SteadyClock = std::chrono::steady_clock;

  bool MayFind() const { return SteadyClock::now() >= find_again_; }
  void Find();

  SteadyClock::time_point find_again_;
  absl::flat_hash_map<Client, intptr_t> sockets_;  // channelz's numbers
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_HELD_CALLS_H_
