// Which connections begin calls faster than gRPC frees them.
#ifndef JOBTAIL_SERVER_RPC_CALL_FLOODS_H_
#define JOBTAIL_SERVER_RPC_CALL_FLOODS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "server/rpc/growth.h"
#include "server/rpc/load_shedder.h"
#include "server/rpc/open_connections.h"

namespace jobtail {

// Against clients that begin calls and cancel them without a pause ("rapid reset",
// CVE-2023-44487): a thread of gRPC 1.51 that always finds something to read goes on reading, frees
// none of the calls that are cancelled, and takes hundreds of megabytes in a second. That the
// process grows has connections looked at that have sent something; one of which gRPC holds many
// more calls than a client may have open is to be given up. Nobody else is in question, whatever
// else makes the process grow, and however many calls it begins at once. For one thread.
class CallFloods {
 public:
  using Client = OpenConnections::Client;
  // How many calls of the connection gRPC holds; nullopt if that is not known.
  using Held = std::function<std::optional<int64_t>(const Client&)>;

  // What makes it look: so many bytes more than before.
  static constexpr int64_t kGrowth = Growth::kStep;
  // What each client is told that it may have open at a time, streams included; further calls wait
  // with it.
  static constexpr int kMostCalls = 1000;
  // So many of each connection may be held: of the others, the client has been rid already.
  static constexpr int64_t kMostHeld = kMostCalls + kMostCalls / 2;
  // Of the connections, those that have sent most; and for so many looks after there was growth.
  static constexpr size_t kSuspects = 16;
  static constexpr int kLooks = Growth::kLooks;
  // In bytes, since the last look: who has sent less is not suspected.
  static constexpr uint64_t kReceived = 4 << 10;

  explicit CallFloods(Held held, LoadShedder::Resident resident = LoadShedder::ResidentBytes)
      : held_(std::move(held)), resident_(std::move(resident)) {}

  // The clients whose connections are to be given up. To be called every 50 ms, and more often
  // while it is growing.
  std::vector<Client> Look(const TrafficReading& traffic);

  // Whether the process had grown at the last look, or not long before.
  bool is_growing() const { return growth_.is_growing(); }

 private:
  std::vector<Client> FindSuspects(const TrafficReading& traffic);

  const Held held_;
  const LoadShedder::Resident resident_;
  Growth growth_;
  OpenConnections::TrafficOfAll traffic_;  // at the last look, while it grows
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_CALL_FLOODS_H_
