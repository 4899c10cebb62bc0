// Addresses of this machine alone, and those of all.
#include "server/tls/reach.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/host_port.h"

namespace jobtail {
namespace {

bool IsLoopback(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    const auto* const v4 = reinterpret_cast<const sockaddr_in*>(address);
    return (ntohl(v4->sin_addr.s_addr) >> 24U) == IN_LOOPBACKNET;
  }
  if (address->sa_family != AF_INET6) return false;
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) return v6.s6_addr[12] == IN_LOOPBACKNET;
  return IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace

bool IsReachable(const std::string& address) {
  if (absl::StartsWith(address, "unix:")) return false;
  const std::optional<HostPort> parsed = ParseHostPort(address);
  if (!parsed) return false;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (getaddrinfo(parsed->host.c_str(), nullptr, &hints, &found) != 0) return false;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  for (const addrinfo* each = found; each; each = each->ai_next) {
    if (!IsLoopback(each->ai_addr)) return true;
  }
  return false;
}

absl::Status CheckReach(const std::string& flag, const std::string& address,
                        const Protection& protection) {
  if (protection.insecure || (protection.encrypts && protection.knows_callers)) {
    return absl::OkStatus();
  }
  if (!IsReachable(address)) return absl::OkStatus();
  const std::string why =
      protection.encrypts
          ? "and there is no way to know who calls: give --access-file, with who may do what and a "
            "token_file, an oidc or a trusted_proxy, or --tls-client-ca"
          : "and nothing is encrypted: give --tls-cert and --tls-key, and --access-file with who "
            "may do what";
  return absl::FailedPreconditionError(
      absl::StrCat(flag, "=", address, " can be reached from other machines, ", why,
                   "; or serve on 127.0.0.1, or on a unix socket (", flag,
                   "=unix:PATH). If whoever can reach it may do everything, say --insecure"));
}

}  // namespace jobtail
