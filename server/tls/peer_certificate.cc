// subjectAltName, read by OpenSSL.
#include "server/tls/peer_certificate.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>
#include <string>

#include "absl/strings/ascii.h"
#include "server/tls/openssl_ptr.h"

namespace jobtail {
namespace {

void Add(const ASN1_IA5STRING* text, std::vector<std::string>* names) {
  const std::string name(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                         static_cast<size_t>(ASN1_STRING_length(text)));
  if (IsName(name)) names->push_back(name);
}

}  // namespace

bool IsName(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c));
  });
}

PeerIdentity IdentityOf(const SSL* connection) {
  PeerIdentity peer;
  peer.is_private = true;
  const OpenSslPtr<X509> certificate(SSL_get1_peer_certificate(connection));
  if (!certificate || SSL_get_verify_result(connection) != X509_V_OK) return peer;
  peer.kind = PeerIdentity::Kind::kCertificate;
  const OpenSslPtr<GENERAL_NAMES> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_URI) Add(name->d.uniformResourceIdentifier, &peer.uris);
    if (name->type == GEN_DNS) Add(name->d.dNSName, &peer.dns_names);
  }
  return peer;
}

}  // namespace jobtail
