// Takes the names of connections apart.
#include "base/connection_name.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"

namespace jobtail {
namespace {

void RemovePrefix(std::string_view* text, std::string_view prefix) {
  if (text->starts_with(prefix)) text->remove_prefix(prefix.size());
}

void RemoveSuffix(std::string_view* text, std::string_view suffix) {
  if (text->ends_with(suffix)) text->remove_suffix(suffix.size());
}

}  // namespace

// gRPC has the brackets of an IPv6 address encoded.
std::string AddressOf(std::string_view connection) {
  for (const std::string_view door : {"ipv4:", "ipv6:", "http:"}) RemovePrefix(&connection, door);
  if (connection.starts_with("unix:")) {
    return std::string(
        connection.substr(0, connection.find(':', std::string_view("unix:").size())));
  }
  std::string_view address = connection.substr(0, connection.rfind(':'));
  for (const std::string_view open : {"[", "%5B"}) RemovePrefix(&address, open);
  for (const std::string_view close : {"]", "%5D"}) RemoveSuffix(&address, close);
  address = address.substr(0, address.find('%'));
  RemovePrefix(&address, "::ffff:");
  return std::string(address);
}

std::optional<int> PortOf(std::string_view connection) {
  connection.remove_prefix(connection.rfind(':') + 1);
  int port = 0;
  if (!absl::SimpleAtoi(absl::string_view(connection.data(), connection.size()), &port)) {
    return std::nullopt;
  }
  return port;
}

std::string NetworkOf(const std::string& address) {
  if (address.find(':') == std::string::npos) return address;
  in6_addr bytes;
  if (inet_pton(AF_INET6, address.c_str(), &bytes) != 1) {
    return address;
  }
  std::fill(std::begin(bytes.s6_addr) + 8, std::end(bytes.s6_addr), 0);
  std::array<char, INET6_ADDRSTRLEN> network{};
  inet_ntop(AF_INET6, &bytes, network.data(), network.size());
  return network.data();
}

std::string ClientAddress(std::string_view connection) { return NetworkOf(AddressOf(connection)); }

}  // namespace jobtail
