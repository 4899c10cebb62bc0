// How many gRPC connections there may be, and what they may have the server hold.
#ifndef JOBTAIL_SERVER_RPC_CONNECTION_LIMITS_H_
#define JOBTAIL_SERVER_RPC_CONNECTION_LIMITS_H_

#include <cstddef>
#include <cstdint>
#include <limits>

#include "server/access/address_places.h"
#include "server/rpc/pending_handshakes.h"
#include "server/rpc/unfinished_requests.h"

namespace jobtail {

// See the classes that keep them.
struct ConnectionLimits {
  size_t connections = 10'000;
  // Of them, those of one client's address. The others' turn comes.
  size_t connections_of_address = 10'000;
  // Of those with TLS.
  PendingHandshakes::Limits handshakes = {};
  // Of them, those that nobody has proved to be theirs.
  access::AddressPlaces::Limits newcomers = {};
  // What they have sent of requests that are not whole.
  UnfinishedRequests::Limits requests = {};
  // How large the process may be, in bytes, before connections are given up (see LoadShedder).
  int64_t resident_bytes = std::numeric_limits<int64_t>::max();
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_CONNECTION_LIMITS_H_
