// Descriptors, and the sockets that they named.
#include "server/rpc/open_connections.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <utility>

#include "absl/strings/numbers.h"
#include "server/rpc/peer_name.h"
#include "server/stream/byte_budget.h"

namespace jobtail {

ino_t InodeOf(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

std::optional<OpenConnections::Client> OpenConnections::Add(int fd, const Client& client) {
  std::optional<Client> closed;
  if (const auto before = open_.find(fd); before != open_.end()) {
    closed = before->second.client;
    Forget(closed->first);
  }
  open_.insert_or_assign(fd, Connection{InodeOf(fd), client});
  ++addresses_[client.first];
  return closed;
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

OpenConnections::TrafficOfAll OpenConnections::Transferred() {
  TrafficOfAll transferred;
  transferred.reserve(open_.size());
  for (auto& [fd, connection] : open_) {
    tcp_info info{};
    socklen_t size = sizeof info;
    int waiting = 0;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0) {
      transferred.emplace(connection.client, Traffic{.received = info.tcpi_bytes_received,
                                                     .sent = info.tcpi_bytes_acked});
    } else if (ioctl(fd, SIOCINQ, &waiting) == 0) {
      connection.waited += static_cast<uint64_t>(waiting);
      transferred.emplace(connection.client, Traffic{.received = connection.waited});
    }
  }
  return transferred;
}

std::vector<OpenConnections::Client> OpenConnections::Sweep() {
  std::vector<Client> closed;
  absl::erase_if(open_, [this, &closed](const auto& entry) {
    const auto& [fd, connection] = entry;
    if (InodeOf(fd) == connection.inode) return false;
    Forget(connection.client.first);
    closed.push_back(connection.client);
    return true;
  });
  return closed;
}

size_t OpenConnections::CountOf(const std::string& address) const {
  const auto found = addresses_.find(address);
  return found == addresses_.end() ? 0 : found->second;
}

void OpenConnections::Forget(const std::string& address) {
  const auto found = addresses_.find(address);
  if (--found->second == 0) addresses_.erase(found);
}

std::optional<OpenConnections::Client> ClientOf(const std::string& peer) {
  if (const std::optional<int64_t> serial = SerialOf(peer)) {
    const size_t uid = peer.find("uid=");
    return OpenConnections::Client(peer.substr(uid, peer.find(':', uid) - uid),
                                   static_cast<int>(*serial));
  }
  int port = 0;
  if (!absl::SimpleAtoi(peer.substr(peer.rfind(':') + 1), &port)) return std::nullopt;
  return OpenConnections::Client(ClientAddress(peer), port);
}

}  // namespace jobtail
