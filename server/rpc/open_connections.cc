// Descriptors, and the sockets that they named.
#include "server/rpc/open_connections.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <utility>

namespace jobtail {

ino_t InodeOf(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

void OpenConnections::Add(int fd, const Client& client) {
  if (const auto before = open_.find(fd); before != open_.end()) {
    Forget(before->second.client.first);
  }
  open_.insert_or_assign(fd, Connection{InodeOf(fd), client});
  ++addresses_[client.first];
}

void OpenConnections::Remove(int fd) {
  const auto found = open_.find(fd);
  if (found == open_.end()) return;
  Forget(found->second.client.first);
  open_.erase(found);
}

std::optional<int> OpenConnections::Find(const Client& client) const {
  for (const auto& [fd, connection] : open_) {
    if (connection.client == client && InodeOf(fd) == connection.inode) return fd;
  }
  return std::nullopt;
}

absl::flat_hash_map<OpenConnections::Client, uint64_t> OpenConnections::Received() const {
  absl::flat_hash_map<Client, uint64_t> received;
  for (const auto& [fd, connection] : open_) {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) continue;
    received.emplace(connection.client, info.tcpi_bytes_received);
  }
  return received;
}

void OpenConnections::Sweep() {
  absl::erase_if(open_, [this](const auto& entry) {
    const auto& [fd, connection] = entry;
    const bool is_open = InodeOf(fd) == connection.inode;
    if (!is_open) Forget(connection.client.first);
    return !is_open;
  });
}

size_t OpenConnections::CountOf(const std::string& address) const {
  const auto found = addresses_.find(address);
  return found == addresses_.end() ? 0 : found->second;
}

void OpenConnections::Forget(const std::string& address) {
  const auto found = addresses_.find(address);
  if (--found->second == 0) addresses_.erase(found);
}

}  // namespace jobtail
