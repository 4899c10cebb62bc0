// Listening for gRPC, in gRPC's place.
#ifndef JOBTAIL_SERVER_RPC_ACCEPTOR_H_
#define JOBTAIL_SERVER_RPC_ACCEPTOR_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/clock.h"
#include "server/rpc/connection_limits.h"
#include "server/rpc/connection_owners.h"
#include "server/rpc/handled_calls.h"
#include "server/tls/unix_socket.h"

namespace jobtail {

// Accepts connections and hands them on. gRPC's own listener never accepts again once it has met a
// moment without free descriptors, and takes as many connections as come; this one tries again, and
// closes those beyond its limits at once. While descriptors are short, clients wait to be
// accepted; after kPatience they are accepted with a descriptor kept for that, and closed, so that
// they know.
//
// Listen, Start, Stop and the destructor are the owner's, in this order; the rest is thread-safe.
class Acceptor {
 public:
  using Limits = ConnectionLimits;

  // What is handed on: a listening socket, which stays the acceptor's, and a connection, which does
  // not: it neither blocks nor outlives an exec.
  struct Handover {
    int listener;
    int connection;
    bool is_unix;
  };
  // Called by the acceptor's thread.
  using Take = std::function<void(const Handover&)>;

  static constexpr absl::Duration kPatience = absl::Seconds(1);

  // `clock` outlives the acceptor.
  explicit Acceptor(const Limits& limits, Clock* clock = Clock::System());
  // As Stop.
  ~Acceptor();

  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // Listens at HOST:PORT, and at each address of a name, or at unix:PATH, where `access` says who
  // may connect; clients wait until Start. INVALID_ARGUMENT for what is none, UNAVAILABLE if it
  // cannot be listened on. A port that is taken is an error. More than once: at all of them. The
  // peers of a unix socket are named for gRPC: see ScopedPeerName.
  absl::Status Listen(const std::string& address, const SocketAccess& access = {});
  // The first address as it is listened on, where port 0 has become another; and all of them.
  const std::string& address() const { return addresses().front(); }
  const std::vector<std::string>& addresses() const;

  void Start(Take take);
  // Accepts no more, and listens no more. Idempotent.
  void Stop();

  // The connection of that peer, as gRPC names it, has made a call with so many bytes, which a
  // handler has while the result lives.
  HandledCalls::Call Called(const std::string& peer, size_t bytes);

  // The connection of that peer has made a call of that principal's: see ConnectionOwners.
  absl::Status Own(const std::string& peer, const access::Principal& owner,
                   const ConnectionOwners::Enter& enter);

  // Those of which nobody has proved to be its owner, admitted or not; as the next.
  int64_t strangers() const;
  // Those handed on that are open; as of up to a second ago.
  int64_t connections() const;
  // Those closed at once, for a limit or a lack of descriptors, and those given up for memory.
  int64_t refused_connections() const;
  // Those closed before they had made a call: TLS handshakes that failed, or were not finished in
  // time, are among them. As of up to a second ago; not of unix sockets.
  int64_t unused_connections() const;
  // RESOURCE_EXHAUSTED while there are no descriptors to accept connections with.
  absl::Status CheckHealth() const;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_ACCEPTOR_H_
