// getpeername, with an answer of our own for one socket at a time.
#include "server/rpc/peer_name.h"

#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace jobtail {
namespace {

struct Named {
  int fd = -1;
  const std::string* name = nullptr;
};
thread_local Named named;

// Known to this process alone.
const std::string& Secret() {
  static const auto* const secret = [] {
    std::string bytes(16, '\0');
    size_t got = 0;
    while (got < bytes.size()) {
      const ssize_t more = getrandom(bytes.data() + got, bytes.size() - got, 0);
      if (more > 0) got += static_cast<size_t>(more);
    }
    return new std::string(absl::BytesToHexString(bytes));
  }();
  return *secret;
}

constexpr size_t kParts = 5;

// Of "unix:uid=UID:GID,PID,SERIAL,SECRET" what comes after "="; of other names nothing.
std::vector<std::string> PartsOf(std::string_view peer) {
  constexpr std::string_view kPrefix = "unix:uid=";
  if (!peer.starts_with(kPrefix)) return {};
  peer.remove_prefix(kPrefix.size());
  return absl::StrSplit(absl::string_view(peer.data(), peer.size()), absl::ByAnyChar(":,"));
}

// As the kernel copies a name: as much as there is room for, and how long it is.
void CopyName(const std::string& name, sockaddr* address, socklen_t* size) {
  sockaddr_un full{};
  full.sun_family = AF_UNIX;
  name.copy(full.sun_path, sizeof full.sun_path - 1);
  const auto needed = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) +
                                             std::min(name.size(), sizeof full.sun_path - 1) + 1);
  std::memcpy(address, &full, std::min(*size, needed));
  *size = needed;
}

}  // namespace

ScopedPeerName::ScopedPeerName(int fd, const std::string& name) { named = {fd, &name}; }

ScopedPeerName::~ScopedPeerName() { named = {}; }

// "uid=UID:GID,PID,SERIAL,SECRET": what goes before the last colon is the client's address for
// those who count by it, as with IP addresses.
std::string MakePeerName(const PeerIdentity& peer, int64_t serial) {
  return absl::StrCat("uid=", peer.uid, ":", peer.gid, ",", peer.pid, ",", serial, ",", Secret());
}

std::optional<int64_t> SerialOf(std::string_view peer) {
  const std::vector<std::string> parts = PartsOf(peer);
  int64_t serial = 0;
  if (parts.size() != kParts || !absl::SimpleAtoi(parts[3], &serial)) return std::nullopt;
  return serial;
}

std::optional<PeerIdentity> ParsePeerName(std::string_view peer) {
  const std::vector<std::string> parts = PartsOf(peer);
  PeerIdentity identity;
  if (parts.size() != kParts || parts[4] != Secret() ||
      !absl::SimpleAtoi(parts[0], &identity.uid) || !absl::SimpleAtoi(parts[1], &identity.gid) ||
      !absl::SimpleAtoi(parts[2], &identity.pid)) {
    return std::nullopt;
  }
  identity.kind = PeerIdentity::Kind::kSocket;
  identity.is_private = true;
  return identity;
}

}  // namespace jobtail

// In the C library's place, for this program and the libraries that it is linked with: its name is
// the symbol alone, so that this is no second declaration of the library's.
extern "C" int jobtail_getpeername(int fd, sockaddr* address, socklen_t* size) noexcept
    __asm__("getpeername");

extern "C" int jobtail_getpeername(int fd, sockaddr* address, socklen_t* size) noexcept {
  if (jobtail::named.name != nullptr && jobtail::named.fd == fd) {
    jobtail::CopyName(*jobtail::named.name, address, size);
    return 0;
  }
  return static_cast<int>(syscall(SYS_getpeername, fd, address, size));
}
