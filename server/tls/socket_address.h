// Socket addresses of TCP, in numbers.
#ifndef JOBTAIL_SERVER_TLS_SOCKET_ADDRESS_H_
#define JOBTAIL_SERVER_TLS_SOCKET_ADDRESS_H_

#include <sys/socket.h>

#include <string>

namespace jobtail {

// 0 for an address of another kind.
int PortOf(const sockaddr* address);

// "127.0.0.1" or "::1": an IPv4 address as such, also where it comes as one of IPv6
// ("::ffff:127.0.0.1"). "" for an address of another kind.
std::string IpOf(const sockaddr* address);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_TLS_SOCKET_ADDRESS_H_
