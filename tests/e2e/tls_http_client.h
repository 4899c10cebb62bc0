// The bare HTTP client over TLS.
#ifndef JOBTAIL_TESTS_E2E_TLS_HTTP_CLIENT_H_
#define JOBTAIL_TESTS_E2E_TLS_HTTP_CLIENT_H_

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "tests/e2e/http_client.h"
#include "tests/support/certificates.h"

namespace jobtail::e2e {

// As HttpClient, with a certificate that tells who it is, or without. Takes the server's
// certificate, whatever it is.
class TlsHttpClient final : public HttpClient {
 public:
  // `url`: "https://127.0.0.1:PORT/". A pair without a certificate: none is shown.
  TlsHttpClient(const std::string& url, const jobtail::testing::KeyPair& own);
  ~TlsHttpClient() override = default;

 protected:
  ssize_t WriteSome(const char* bytes, size_t size) override;
  ssize_t ReadSome(char* bytes, size_t size) override;

 private:
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
  std::unique_ptr<SSL, void (*)(SSL*)> ssl_;
};

}  // namespace jobtail::e2e

#endif  // JOBTAIL_TESTS_E2E_TLS_HTTP_CLIENT_H_
