// Owners of what OpenSSL gives away.
#ifndef JOBTAIL_SERVER_TLS_OPENSSL_PTR_H_
#define JOBTAIL_SERVER_TLS_OPENSSL_PTR_H_

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <memory>

namespace jobtail {

struct OpenSslDeleter {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

template <typename T>
using OpenSslPtr = std::unique_ptr<T, OpenSslDeleter>;

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_TLS_OPENSSL_PTR_H_
