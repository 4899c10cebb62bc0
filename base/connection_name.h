// Where a connection comes from, read from the name that its door has for it.
#ifndef JOBTAIL_BASE_CONNECTION_NAME_H_
#define JOBTAIL_BASE_CONNECTION_NAME_H_

#include <optional>
#include <string>
#include <string_view>

namespace jobtail {

// Names are "ipv4:127.0.0.1:50000" and "ipv6:%5B2001:db8::1%5D:50000" of gRPC,
// "http:2001:db8::1:50000" of HTTP, and "unix:uid=1000:..." or "http:unix:uid=1000:..." of a unix
// socket, where who it is stands for an address. Nothing here looks anything up.

// The address alone: "127.0.0.1", "2001:db8::1", "unix:uid=1000"; without "::ffff:" where that is
// an IPv4 address, and without the interface ("%eth0") of a link-local one.
std::string AddressOf(std::string_view connection);

// The port; nullopt where there is none.
std::optional<int> PortOf(std::string_view connection);

// What limits count an address by: of an IPv6 address its /64, all of which is one client's as a
// rule; whatever else it is stays as it is.
std::string NetworkOf(const std::string& address);

// NetworkOf(AddressOf(connection)): whose connection it is, before anything better is known.
std::string ClientAddress(std::string_view connection);

}  // namespace jobtail

#endif  // JOBTAIL_BASE_CONNECTION_NAME_H_
