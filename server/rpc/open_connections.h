// Which connections are still open, told from outside those who have them.
#ifndef JOBTAIL_SERVER_RPC_OPEN_CONNECTIONS_H_
#define JOBTAIL_SERVER_RPC_OPEN_CONNECTIONS_H_

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace jobtail {

// Counts connections that were handed on to a library that does not tell when it closes one: a
// descriptor whose number is free by now, or names another socket, was closed. So the count may be
// too high, until Sweep. Not thread-safe.
class OpenConnections {
 public:
  // `fd` is a socket of a client at `address`. To be called before it is handed on.
  void Add(int fd, const std::string& address);

  // Forgets those that were closed: a system call for each that is known.
  void Sweep();

  size_t Count() const { return open_.size(); }
  size_t CountOf(const std::string& address) const;

 private:
  struct Connection {
    ino_t inode;
    std::string address;
  };

  void Forget(const std::string& address);

  absl::flat_hash_map<int, Connection> open_;  // by descriptor
  absl::flat_hash_map<std::string, size_t> addresses_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_OPEN_CONNECTIONS_H_
