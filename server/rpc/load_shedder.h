// Which connections to do without when memory runs out.
#ifndef JOBTAIL_SERVER_RPC_LOAD_SHEDDER_H_
#define JOBTAIL_SERVER_RPC_LOAD_SHEDDER_H_

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "server/rpc/growth.h"
#include "server/rpc/open_connections.h"

namespace jobtail {

// The last resort against clients that have gRPC take memory which no limit of its own counts.
// Above all those that begin calls and cancel them without a pause ("rapid reset", CVE-2023-44487):
// a thread of gRPC 1.51 that always finds something to read goes on reading, frees none of the
// calls that are cancelled, and takes hundreds of megabytes in a second. While the process is
// larger than it may be, and grows, the connections that send most are given up; whoever mostly
// receives, as readers do, is not in question. Nor is anybody while it does not grow: what makes it
// too large then is something else, such as a job in the process, and nothing that goes on being
// sent. So it is larger by clients' doing by one step of Growth at most, and by what comes from one
// look to the next. For one thread.
class LoadShedder {
 public:
  // How large the process is, in bytes.
  using Resident = std::function<int64_t()>;

  // Who has sent less since the last look stays, in bytes.
  static constexpr uint64_t kReceived = 16 << 10;

  // The process may have `limit` bytes.
  explicit LoadShedder(int64_t limit, Resident resident = ResidentBytes)
      : limit_(limit), resident_(std::move(resident)) {}

  // The clients whose connections are to be given up: who has sent most since the last look, and
  // whoever has sent half as much. To be called every 50 ms, or so.
  std::vector<OpenConnections::Client> Look(const TrafficReading& traffic);

  // What the system says of this process.
  static int64_t ResidentBytes();

 private:
  const int64_t limit_;
  const Resident resident_;
  Growth growth_;
  // At the last look; empty while the process is not too large.
  OpenConnections::TrafficOfAll traffic_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_LOAD_SHEDDER_H_
