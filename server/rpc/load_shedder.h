// Which connections to do without when memory runs out.
#ifndef JOBTAIL_SERVER_RPC_LOAD_SHEDDER_H_
#define JOBTAIL_SERVER_RPC_LOAD_SHEDDER_H_

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "server/rpc/open_connections.h"

namespace jobtail {

// The last resort against clients that have gRPC take memory which no limit of its own counts.
// Above all those that begin calls and cancel them without a pause ("rapid reset", CVE-2023-44487):
// a thread of gRPC 1.51 that always finds something to read goes on reading, frees none of the
// calls that are cancelled, and takes hundreds of megabytes in a second. While the process is
// larger than it may be, the connections that send most are given up; whoever mostly receives, as
// readers do, is not in question. For one thread.
class LoadShedder {
 public:
  // How large the process is, in bytes.
  using Resident = std::function<int64_t()>;

  // How often to look.
  static constexpr absl::Duration kInterval = absl::Milliseconds(50);
  // Who has sent less since the last look stays, in bytes.
  static constexpr uint64_t kReceived = 16 << 10;

  // The process may have `limit` bytes.
  explicit LoadShedder(int64_t limit, Resident resident = ResidentBytes)
      : limit_(limit), resident_(std::move(resident)) {}

  // The clients whose connections are to be given up: who has sent most since the last look, and
  // whoever has sent half as much. To be called at each interval.
  std::vector<OpenConnections::Client> Look(OpenConnections* connections);

  // What the system says of this process.
  static int64_t ResidentBytes();

 private:
  const int64_t limit_;
  const Resident resident_;
  // What had come of each client at the last look; empty while the process is not too large.
  absl::flat_hash_map<OpenConnections::Client, uint64_t> received_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_LOAD_SHEDDER_H_
