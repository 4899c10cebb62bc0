// The peer's name, and gRPC's properties of its certificate.
#include "server/rpc/peer.h"

#include <grpc/grpc_security_constants.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/rpc/peer_name.h"
#include "server/tls/peer_certificate.h"

namespace jobtail {
namespace {

std::vector<std::string> Names(const grpc::AuthContext& context, const char* property) {
  std::vector<std::string> names;
  for (const grpc::string_ref& value : context.FindPropertyValues(property)) {
    const std::string_view name(value.data(), value.size());
    if (IsName(name)) names.emplace_back(name);
  }
  return names;
}

bool Has(const grpc::AuthContext& context, const char* property, std::string_view wanted) {
  const auto values = context.FindPropertyValues(property);
  return values.size() == 1 && std::string_view(values[0].data(), values[0].size()) == wanted;
}

}  // namespace

PeerIdentity IdentityOf(const grpc::CallbackServerContext& context) {
  if (const std::optional<PeerIdentity> socket = ParsePeerName(context.peer())) return *socket;
  PeerIdentity peer;
  const std::shared_ptr<const grpc::AuthContext> known = context.auth_context();
  if (!known ||
      !Has(*known, GRPC_TRANSPORT_SECURITY_TYPE_PROPERTY_NAME, GRPC_SSL_TRANSPORT_SECURITY_TYPE)) {
    return peer;
  }
  peer.is_private = true;
  if (known->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME).empty()) return peer;
  peer.kind = PeerIdentity::Kind::kCertificate;
  peer.uris = Names(*known, GRPC_PEER_URI_PROPERTY_NAME);
  peer.dns_names = Names(*known, GRPC_PEER_DNS_PROPERTY_NAME);
  return peer;
}

}  // namespace jobtail
