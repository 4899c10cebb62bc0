// Descriptors, and the sockets that they named.
#include "server/rpc/open_connections.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <utility>

#include "base/connection_name.h"
#include "server/rpc/peer_name.h"

namespace jobtail {

ino_t InodeOf(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

std::vector<OpenConnections::Client> OpenConnections::Add(int fd, const Client& client) {
  std::vector<Client> closed;
  if (const auto before = open_.find(fd); before != open_.end()) closed.push_back(Forget(before));
  if (const auto before = clients_.find(client); before != clients_.end()) {
    closed.push_back(Forget(open_.find(before->second)));
  }
  open_.emplace(fd, Connection{InodeOf(fd), client});
  clients_.emplace(client, fd);
  ++networks_[NetworkOf(client.first)];
  return closed;
}

void OpenConnections::Remove(int fd) {
  if (const auto found = open_.find(fd); found != open_.end()) Forget(found);
}

std::optional<int> OpenConnections::Find(const Client& client) const {
  const auto found = clients_.find(client);
  if (found == clients_.end()) return std::nullopt;
  const int fd = found->second;
  if (InodeOf(fd) != open_.at(fd).inode) return std::nullopt;
  return fd;
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
  for (auto each = open_.begin(); each != open_.end();) {
    const auto connection = each++;
    if (InodeOf(connection->first) == connection->second.inode) continue;
    closed.push_back(Forget(connection));
  }
  return closed;
}

size_t OpenConnections::CountOf(const Client& client) const {
  const auto found = networks_.find(NetworkOf(client.first));
  return found == networks_.end() ? 0 : found->second;
}

OpenConnections::Client OpenConnections::Forget(Open::iterator connection) {
  Client client = std::move(connection->second.client);
  open_.erase(connection);
  clients_.erase(client);
  const auto network = networks_.find(NetworkOf(client.first));
  if (--network->second == 0) networks_.erase(network);
  return client;
}

std::optional<OpenConnections::Client> ClientOf(const std::string& peer) {
  if (const std::optional<int64_t> serial = SerialOf(peer)) {
    return OpenConnections::Client(AddressOf(peer), static_cast<int>(*serial));
  }
  const std::optional<int> port = PortOf(peer);
  if (!port) return std::nullopt;
  return OpenConnections::Client(AddressOf(peer), *port);
}

}  // namespace jobtail
