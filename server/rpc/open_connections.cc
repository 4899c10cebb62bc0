// Descriptors, and the sockets that they named.
#include "server/rpc/open_connections.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
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
  if (const auto before = open_.find(fd); before != open_.end()) Forget(before, &closed);
  if (const auto known = clients_.find(client); known != clients_.end()) {
    const Descriptors before = known->second;
    for (const int each : before) {
      if (!IsOpen(each)) Forget(open_.find(each), &closed);
    }
  }
  open_.emplace(fd, Connection{InodeOf(fd), client});
  clients_[client].push_back(fd);
  networks_.Add(NetworkOf(client.first));
  return closed;
}

std::vector<OpenConnections::Client> OpenConnections::Remove(int fd) {
  std::vector<Client> closed;
  if (const auto found = open_.find(fd); found != open_.end()) Forget(found, &closed);
  return closed;
}

bool OpenConnections::IsOpen(int fd) const { return InodeOf(fd) == open_.at(fd).inode; }

std::optional<int> OpenConnections::Find(const Client& client) const {
  const auto found = clients_.find(client);
  if (found == clients_.end()) return std::nullopt;
  for (const int fd : found->second) {
    if (IsOpen(fd)) return fd;
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
      Traffic& all = transferred[connection.client];
      all.received += info.tcpi_bytes_received;
      all.sent += info.tcpi_bytes_acked;
    } else if (ioctl(fd, SIOCINQ, &waiting) == 0) {
      connection.waited += static_cast<uint64_t>(waiting);
      transferred[connection.client].received += connection.waited;
    }
  }
  return transferred;
}

std::vector<OpenConnections::Client> OpenConnections::Sweep() {
  std::vector<Client> closed;
  for (auto each = open_.begin(); each != open_.end();) {
    const auto connection = each++;
    if (InodeOf(connection->first) != connection->second.inode) Forget(connection, &closed);
  }
  return closed;
}

size_t OpenConnections::CountOf(const Client& client) const {
  return networks_.Of(NetworkOf(client.first));
}

// Appends the client to `closed` if it has no other.
void OpenConnections::Forget(Open::iterator connection, std::vector<Client>* closed) {
  Client client = std::move(connection->second.client);
  networks_.Remove(NetworkOf(client.first));
  const auto all = clients_.find(client);
  Descriptors& descriptors = all->second;
  descriptors.erase(std::find(descriptors.begin(), descriptors.end(), connection->first));
  open_.erase(connection);
  if (!descriptors.empty()) return;
  clients_.erase(all);
  closed->push_back(std::move(client));
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
