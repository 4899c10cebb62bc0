// Which connections are still open, told from outside those who have them.
#ifndef JOBTAIL_SERVER_RPC_OPEN_CONNECTIONS_H_
#define JOBTAIL_SERVER_RPC_OPEN_CONNECTIONS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "base/tally.h"

namespace jobtail {

// Tells one file from all others while it is open; 0 if there is no such descriptor.
ino_t InodeOf(int fd);

// Counts connections that were handed on to a library that does not tell when it closes one: a
// descriptor whose number is free by now, or names another socket, was closed. So the count may be
// too high, until Sweep. Not thread-safe.
class OpenConnections {
 public:
  // A client's address and its port.
  using Client = std::pair<std::string, int>;

  // `fd` is a socket of the client. To be called before it is handed on. Tells who has no
  // connection any more as this shows, if that was not known: whoever had the descriptor before,
  // and the client itself, if what it had was with another one and is closed.
  std::vector<Client> Add(int fd, const Client& client);

  // Forgets one that is being closed, and tells its client if that has no other.
  std::vector<Client> Remove(int fd);

  // Forgets those that were closed, and tells who has none any more: a system call for each that is
  // known.
  std::vector<Client> Sweep();

  size_t Count() const { return open_.size(); }
  // Of those from where the client is; see NetworkOf.
  size_t CountOf(const Client& client) const;

  // The descriptor of the client's connection; nullopt if there is none any more.
  std::optional<int> Find(const Client& client) const;

  // How many bytes have come of each client, and were sent to it and acknowledged, so far: a system
  // call for each that is known. Of a unix socket, of which the system does not tell, nothing was
  // sent, and what was found waiting to be read, at each call of this, has come: nothing of a
  // client that is idle, and much of one that sends without a pause.
  struct Traffic {
    uint64_t received = 0;
    uint64_t sent = 0;
  };
  using TrafficOfAll = absl::flat_hash_map<Client, Traffic>;
  TrafficOfAll Transferred();

 private:
  struct Connection {
    ino_t inode;
    Client client;
    uint64_t waited = 0;  // bytes, of a unix socket
  };

  using Open = absl::flat_hash_map<int, Connection>;

  using Descriptors = absl::InlinedVector<int, 1>;

  bool IsOpen(int fd) const;
  void Forget(Open::iterator connection, std::vector<Client>* closed);

  Open open_;  // by descriptor
  // One for each client, as a rule: it may have another to another address of the server.
  absl::flat_hash_map<Client, Descriptors> clients_;
  Tally networks_;
};

// The traffic of all connections at one moment, for all who look at it then: the system is asked
// once, when the first of them wants to know. Not thread-safe.
class TrafficReading {
 public:
  // `connections` outlives it.
  explicit TrafficReading(OpenConnections* connections) : connections_(connections) {}

  const OpenConnections::TrafficOfAll& Get() const {
    if (!traffic_) traffic_ = connections_->Transferred();
    return *traffic_;
  }

 private:
  OpenConnections* const connections_;
  mutable std::optional<OpenConnections::TrafficOfAll> traffic_;
};

// Of the name that gRPC has for a connection's other end: "ipv4:127.0.0.1:50000".
std::optional<OpenConnections::Client> ClientOf(const std::string& peer);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_OPEN_CONNECTIONS_H_
