// PEM texts read and tried by OpenSSL.
#include "server/tls/certificates.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/tls/openssl_ptr.h"

namespace jobtail {
namespace {

using Certificate = OpenSslPtr<X509>;
using Key = OpenSslPtr<EVP_PKEY>;

// What ALPN calls HTTP/1.1, with its length before it.
constexpr std::array<unsigned char, 9> kHttp = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

// For TLS 1.2; those of 1.3 are all good.
constexpr char kCiphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

OpenSslPtr<BIO> Reading(const std::string& text) {
  return OpenSslPtr<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// `what`, and what OpenSSL has to say to it. Its queue of errors is empty then.
absl::Status Wrong(std::string_view what) {
  std::array<char, 256> text{};
  if (const unsigned long error = ERR_get_error(); error != 0) {  // NOLINT(google-runtime-int)
    ERR_error_string_n(error, text.data(), text.size());
  }
  ERR_clear_error();
  return absl::InvalidArgumentError(
      absl::StrCat(std::string(what), text[0] != '\0' ? ": " : "", text.data()));
}

absl::StatusOr<std::vector<Certificate>> ReadCertificates(const std::string& text,
                                                          const std::string& whose) {
  ERR_clear_error();
  const auto bio = Reading(text);
  std::vector<Certificate> certificates;
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(next);
  }
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (certificates.empty()) return Wrong("there is no certificate in " + whose);
  if (!at_end) return Wrong(absl::StrCat("certificate ", certificates.size() + 1, " in ", whose));
  ERR_clear_error();
  return certificates;
}

absl::StatusOr<Key> ReadKey(const std::string& text) {
  ERR_clear_error();
  const auto bio = Reading(text);
  const auto no_passphrase = [](char*, int, int, void*) { return 0; };
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (!key) return Wrong("there is no key that is not encrypted in the key's file");
  return key;
}

absl::Time ExpiryOf(const X509* certificate) {
  std::tm fields{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &fields) != 1) return absl::InfinitePast();
  return absl::FromTM(fields, absl::UTCTimeZone());
}

// Who speaks something else than HTTP/1.1, and says so, has come to the wrong door.
int SelectProtocol(SSL*, const unsigned char** out, unsigned char* out_size,
                   const unsigned char* offered, unsigned int offered_size, void*) {
  unsigned char* selected = nullptr;
  const int found =
      SSL_select_next_proto(&selected, out_size, kHttp.data(), kHttp.size(), offered, offered_size);
  *out = selected;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

absl::Status UsePair(SSL_CTX* context, const std::vector<Certificate>& chain, EVP_PKEY* key) {
  X509* const own = chain.front().get();
  if (X509_check_private_key(own, key) != 1) {
    return Wrong("the key is not that of the certificate");
  }
  if (SSL_CTX_use_certificate(context, own) != 1) return Wrong("the certificate");
  for (size_t i = 1; i < chain.size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, chain[i].get()) != 1) {
      return Wrong(absl::StrCat("certificate ", i + 1, " of the chain"));
    }
  }
  if (SSL_CTX_use_PrivateKey(context, key) != 1) return Wrong("the key");
  return absl::OkStatus();
}

absl::Status VerifyClients(SSL_CTX* context, const std::string& text) {
  const auto authorities = ReadCertificates(text, "the clients' CA file");
  if (!authorities.ok()) return authorities.status();
  for (const Certificate& authority : *authorities) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get()) != 1 ||
        SSL_CTX_add_client_CA(context, authority.get()) != 1) {
      return Wrong("a CA of the clients");
    }
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return absl::OkStatus();
}

// Nothing is resumed: a certificate counts for the connection that it was verified for.
void Harden(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, kCiphers);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context, SelectProtocol, nullptr);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Certificates>> MakeCertificates(CertificateTexts texts) {
  const auto chain = ReadCertificates(texts.chain, "the certificate's file");
  if (!chain.ok()) return chain.status();
  const absl::StatusOr<Key> key = ReadKey(texts.key);
  if (!key.ok()) return key.status();
  auto made = std::make_shared<Certificates>();
  made->context = {SSL_CTX_new(TLS_server_method()), [](SSL_CTX* each) { SSL_CTX_free(each); }};
  if (!made->context) return Wrong("OpenSSL");
  Harden(made->context.get());
  absl::Status used = UsePair(made->context.get(), *chain, key->get());
  if (used.ok() && !texts.client_ca.empty()) {
    used = VerifyClients(made->context.get(), texts.client_ca);
  }
  if (!used.ok()) return used;
  made->expires = absl::InfiniteFuture();
  for (const Certificate& each : *chain) {
    made->expires = std::min(made->expires, ExpiryOf(each.get()));
  }
  made->texts = std::move(texts);
  return made;
}

}  // namespace jobtail
