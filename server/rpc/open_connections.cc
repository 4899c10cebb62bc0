// Descriptors, and the sockets that they named.
#include "server/rpc/open_connections.h"

#include <sys/stat.h>

#include <utility>

namespace jobtail {
namespace {

// 0 if there is no such descriptor.
ino_t InodeOf(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 ? status.st_ino : 0;
}

}  // namespace

void OpenConnections::Add(int fd, const std::string& address) {
  if (const auto before = open_.find(fd); before != open_.end()) Forget(before->second.address);
  open_.insert_or_assign(fd, Connection{InodeOf(fd), address});
  ++addresses_[address];
}

void OpenConnections::Sweep() {
  absl::erase_if(open_, [this](const auto& entry) {
    const auto& [fd, connection] = entry;
    const bool is_open = InodeOf(fd) == connection.inode;
    if (!is_open) Forget(connection.address);
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
