// Which connections have gRPC hold requests that do not come to an end.
#ifndef JOBTAIL_SERVER_RPC_UNFINISHED_REQUESTS_H_
#define JOBTAIL_SERVER_RPC_UNFINISHED_REQUESTS_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "server/rpc/handled_calls.h"
#include "server/rpc/open_connections.h"

namespace jobtail {

// Bounds what clients have sent of requests that are not whole, which gRPC holds and tells nobody
// of: by connection, and by client address. Its own bound, the ResourceQuota, cancels calls one by
// one, whose they may be, and falls behind who sends fast.
//
// What a connection has sent and no handler has received is held: what the kernel says that came,
// less what handlers were given. That is too much by what HTTP/2 and TLS add, and by calls that
// were cancelled before they were whole. So an allowance is made for each call, each byte of it and
// each byte that was sent; and where a bound is reached, it counts no more than what the calls can
// have that have begun and that no handler has. A client without such calls has nothing held,
// whatever came. For one thread.
class UnfinishedRequests {
 public:
  using Client = OpenConnections::Client;
  // How many calls of the connection gRPC holds; nullopt if that is not known.
  using Held = std::function<std::optional<int64_t>(const Client&)>;

  // In bytes.
  struct Limits {
    int64_t connection = std::numeric_limits<int64_t>::max();
    int64_t address = std::numeric_limits<int64_t>::max();
    int64_t call = 1;  // that one can have at most, with its metadata
  };

  // What a call takes of a connection besides its request and its metadata.
  static constexpr uint64_t kCallAllowance = 1024;

  // `handled` outlives it.
  UnfinishedRequests(const Limits& limits, const HandledCalls* handled, Held held)
      : limits_(limits), handled_(handled), held_(std::move(held)) {}

  // The clients whose connections are to be given up: those beyond the bound; and of an address
  // that is beyond its, who has most, and whoever has half as much. To be called once a second, and
  // more often while the process grows.
  std::vector<Client> Look(const TrafficReading& traffic);

 private:
  struct Connection {
    uint64_t received = 0;
    uint64_t allowed = 0;  // of them
    int64_t held = 0;      // of the rest, what is not known to be over
  };
  using Connections = absl::flat_hash_map<Client, Connection>;

  void Note(const TrafficReading& reading);
  int64_t Correct(const Client& client, Connection* connection) const;
  void FindInAddress(const std::string& address, std::vector<Client>* beyond);

  const Limits limits_;
  const HandledCalls* const handled_;
  const Held held_;
  Connections connections_;  // as of the last look
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_UNFINISHED_REQUESTS_H_
