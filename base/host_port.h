// Addresses of the form HOST:PORT, and the host in them.
#ifndef JOBTAIL_BASE_HOST_PORT_H_
#define JOBTAIL_BASE_HOST_PORT_H_

#include <optional>
#include <string>
#include <string_view>

namespace jobtail {

// A place to listen at or to connect to.
struct HostPort {
  std::string host;  // a name or an address, IPv6 without brackets
  int port = 0;      // 0 to 65535

  // "HOST:PORT" or "[IPV6]:PORT".
  std::string ToString() const;
};

// Reads "HOST:PORT" and "[IPV6]:PORT". Nothing where there is no host, no port or another port than
// 0 to 65535, and for an IPv6 address without brackets, which may mean several things. Does not
// tell whether the host exists.
std::optional<HostPort> ParseHostPort(std::string_view text);

// The host in "HOST" or "HOST:PORT", of an HTTP header for example: without brackets, and "" where
// they do not match.
std::string_view HostOf(std::string_view authority);

}  // namespace jobtail

#endif  // JOBTAIL_BASE_HOST_PORT_H_
