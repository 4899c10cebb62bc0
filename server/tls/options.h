// What an embedding program says about TLS.
#ifndef JOBTAIL_SERVER_TLS_OPTIONS_H_
#define JOBTAIL_SERVER_TLS_OPTIONS_H_

#include <string>

namespace jobtail {

// Files in PEM format, for both doors. They are read again whenever they change: see
// CertificateSource.
struct TlsOptions {
  // The server's certificate, followed by those between it and its CA's. Empty: no TLS.
  std::string certificate_file = {};
  // Its key, not encrypted.
  std::string key_file = {};
  // The CAs whose certificates clients may show. Empty: clients are not asked for any. A client
  // without a certificate is served, too, as one that is not known by one.
  std::string client_ca_file = {};

  bool enabled() const { return !certificate_file.empty(); }
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_TLS_OPTIONS_H_
