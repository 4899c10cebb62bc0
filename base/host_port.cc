// HOST:PORT, read and written.

#include "base/host_port.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace jobtail {
namespace {

constexpr int kMaxPort = 65535;

// Digits alone: no sign, no blanks.
std::optional<int> ParsePort(std::string_view text) {
  const bool digits =
      std::all_of(text.begin(), text.end(), [](unsigned char c) { return absl::ascii_isdigit(c); });
  int port;
  if (!digits || !absl::SimpleAtoi(absl::string_view(text.data(), text.size()), &port)) {
    return std::nullopt;
  }
  if (port > kMaxPort) return std::nullopt;
  return port;
}

}  // namespace

std::string HostPort::ToString() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return absl::StrCat(is_ipv6 ? "[" : "", host, is_ipv6 ? "]:" : ":", port);
}

std::optional<HostPort> ParseHostPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view bracketed = text.substr(0, colon);
  const std::string_view host = HostOf(bracketed);
  const std::optional<int> port = ParsePort(text.substr(colon + 1));
  if (host.empty() || !port.has_value()) return std::nullopt;
  const size_t brackets = bracketed.starts_with('[') ? 2 : 0;
  if (host.size() + brackets != bracketed.size()) return std::nullopt;  // more colons
  return HostPort{std::string(host), *port};
}

std::string_view HostOf(std::string_view authority) {
  if (!authority.starts_with('[')) return authority.substr(0, authority.find(':'));
  const size_t end = authority.find(']');
  if (end == std::string_view::npos) return "";
  const bool is_whole = end + 1 == authority.size() || authority[end + 1] == ':';
  return is_whole ? authority.substr(1, end - 1) : "";
}

}  // namespace jobtail
