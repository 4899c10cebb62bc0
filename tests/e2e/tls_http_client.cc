// OpenSSL above the HTTP client's socket.
#include "tests/e2e/tls_http_client.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/pem.h>

namespace jobtail::e2e {
namespace {

void Show(SSL_CTX* context, const jobtail::testing::KeyPair& own) {
  const auto read = [](const std::string& text) {
    return std::unique_ptr<BIO, int (*)(BIO*)>(
        BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free);
  };
  const std::unique_ptr<X509, void (*)(X509*)> certificate(
      PEM_read_bio_X509(read(own.certificate).get(), nullptr, nullptr, nullptr), X509_free);
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(
      PEM_read_bio_PrivateKey(read(own.key).get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  EXPECT_EQ(SSL_CTX_use_certificate(context, certificate.get()), 1);
  EXPECT_EQ(SSL_CTX_use_PrivateKey(context, key.get()), 1);
}

}  // namespace

TlsHttpClient::TlsHttpClient(const std::string& url, const jobtail::testing::KeyPair& own)
    : HttpClient(url),
      context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free),
      ssl_(nullptr, SSL_free) {
  if (!own.certificate.empty()) Show(context_.get(), own);
  ssl_.reset(SSL_new(context_.get()));
  SSL_set_fd(ssl_.get(), socket());
  EXPECT_EQ(SSL_connect(ssl_.get()), 1);
}

ssize_t TlsHttpClient::WriteSome(const char* bytes, size_t size) {
  return SSL_write(ssl_.get(), bytes, static_cast<int>(size));
}

ssize_t TlsHttpClient::ReadSome(char* bytes, size_t size) {
  return SSL_read(ssl_.get(), bytes, static_cast<int>(size));
}

}  // namespace jobtail::e2e
