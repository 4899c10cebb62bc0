// Addresses and ports out of their structures.
#include "server/tls/socket_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>

namespace jobtail {
namespace {

const sockaddr_in* V4(const sockaddr* address) {
  return address->sa_family == AF_INET ? reinterpret_cast<const sockaddr_in*>(address) : nullptr;
}

const sockaddr_in6* V6(const sockaddr* address) {
  return address->sa_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(address) : nullptr;
}

}  // namespace

int PortOf(const sockaddr* address) {
  if (const sockaddr_in* const v4 = V4(address)) return ntohs(v4->sin_port);
  if (const sockaddr_in6* const v6 = V6(address)) return ntohs(v6->sin6_port);
  return 0;
}

std::string IpOf(const sockaddr* address) {
  constexpr size_t kMapped = 12;  // where the IPv4 address is in one of IPv6
  const void* bytes = nullptr;
  int family = AF_INET;
  if (const sockaddr_in* const v4 = V4(address)) {
    bytes = &v4->sin_addr;
  } else if (const sockaddr_in6* const v6 = V6(address)) {
    const bool is_mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);
    bytes = is_mapped ? &v6->sin6_addr.s6_addr[kMapped] : v6->sin6_addr.s6_addr;
    if (!is_mapped) family = AF_INET6;
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (bytes != nullptr) inet_ntop(family, bytes, text.data(), text.size());
  return text.data();
}

}  // namespace jobtail
