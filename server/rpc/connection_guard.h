// The connections that were handed on to gRPC: who has room, and who is given up.
#ifndef JOBTAIL_SERVER_RPC_CONNECTION_GUARD_H_
#define JOBTAIL_SERVER_RPC_CONNECTION_GUARD_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>  // which Boost.Asio 1.74 lacks
#include <vector>
//
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "server/rpc/call_floods.h"
#include "server/rpc/connection_limits.h"
#include "server/rpc/connection_owners.h"
#include "server/rpc/handled_calls.h"
#include "server/rpc/held_calls.h"
#include "server/rpc/load_shedder.h"
#include "server/rpc/open_connections.h"
#include "server/rpc/pending_handshakes.h"
#include "server/rpc/unfinished_requests.h"

namespace jobtail {

// Knows the connections that are open, and while there are any looks at what they do to the
// server: those that flood it are disconnected, and for a while nobody is accepted from where they
// came; so are those that send most while the process is too large.
//
// Begin and Stop, and what the timers do, are the loop's thread's; the rest is thread-safe. The
// loop and the clock outlive it.
class ConnectionGuard {
 public:
  using Client = OpenConnections::Client;

  ConnectionGuard(const ConnectionLimits& limits, Clock* clock, boost::asio::io_context* loop);

  ConnectionGuard(const ConnectionGuard&) = delete;
  ConnectionGuard& operator=(const ConnectionGuard&) = delete;

  // A connection of the client is to be handed on. False if there is no room for it: it is counted
  // as refused.
  bool Begin(int fd, const Client& client, bool has_handshake);
  // Looks no more.
  void Stop() { stopped_ = true; }

  // See Acceptor.
  HandledCalls::Call Called(const std::string& peer, size_t bytes);
  absl::Status Own(const std::string& peer, const access::Principal& owner,
                   const ConnectionOwners::Enter& enter) {
    return owners_.Own(peer, owner, enter);
  }
  int64_t strangers() const { return owners_.newcomers() + owners_.anonymous(); }
  int64_t connections() const { return connections_; }
  int64_t refused() const { return refused_; }
  int64_t unused() const { return handshakes_.unused(); }

  // One was closed before it came here.
  void CountRefused() { ++refused_; }

 private:
  // A kind of reason, told every ten seconds at most.
  struct Reason {
    const char* text;
    absl::Duration told = -absl::InfiniteDuration();  // when, by the steady clock
  };

  bool HasRoom(const Client& client);
  bool IsShutOut(const Client& client);
  void Sweep();
  void Ended(const Client& client);
  void GiveUpOverdue();
  bool GiveUp(const Client& client);
  void GiveUpAll(const std::vector<Client>& clients, Reason* reason);
  void GiveUpFloods(const std::vector<Client>& clients, Reason* reason);
  void Watch();
  void Count();
  void Look();

  const ConnectionLimits limits_;
  Clock* const clock_;
  std::atomic<int64_t> connections_ = 0;
  std::atomic<int64_t> refused_ = 0;
  ConnectionOwners owners_;
  PendingHandshakes handshakes_;
  HandledCalls handled_;

  // On the event loop alone.
  boost::asio::steady_timer count_;
  boost::asio::steady_timer look_;
  OpenConnections open_;
  HeldCalls held_;
  LoadShedder shedder_;
  CallFloods floods_;
  UnfinishedRequests unfinished_;
  Reason many_calls_{"begin calls faster than they can be freed are closed"};
  Reason long_requests_{"send requests without an end are closed"};
  Reason too_large_{
      "send most are closed, since the server has taken more memory than it may (see --memory)"};
  absl::flat_hash_map<std::string, absl::Duration> shut_out_;  // networks, until when
  absl::Duration counted_ = -absl::InfiniteDuration();         // when, by the steady clock
  bool watching_ = false;  // connections; without any there is nothing to wake up for
  bool stopped_ = false;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_CONNECTION_GUARD_H_
