// A server's certificate, its key and its clients' CAs, known to go together.
#ifndef JOBTAIL_SERVER_TLS_CERTIFICATES_H_
#define JOBTAIL_SERVER_TLS_CERTIFICATES_H_

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace jobtail {

// PEM texts, as they lie in files.
struct CertificateTexts {
  std::string chain;      // the server's certificate first
  std::string key;        // not encrypted
  std::string client_ca;  // empty: clients are asked for no certificate

  friend bool operator==(const CertificateTexts&, const CertificateTexts&) = default;
};

// What TLS connections are made with. Never changes. Thread-safe.
struct Certificates {
  CertificateTexts texts;
  // When the first of the chain's certificates expires.
  absl::Time expires;
  // For a server of HTTP/1.1: TLS 1.2 or 1.3, clients' certificates verified where they have one,
  // no resumption.
  std::shared_ptr<SSL_CTX> context;
};

// INVALID_ARGUMENT, with what is wrong with which text, unless OpenSSL would serve with these: the
// texts are complete, the key is the certificate's, both are strong enough.
absl::StatusOr<std::shared_ptr<const Certificates>> MakeCertificates(CertificateTexts texts);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_TLS_CERTIFICATES_H_
