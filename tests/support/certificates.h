// Certificates for tests, made on the spot.
#ifndef JOBTAIL_TESTS_SUPPORT_CERTIFICATES_H_
#define JOBTAIL_TESTS_SUPPORT_CERTIFICATES_H_

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace jobtail::testing {

// PEM texts.
struct KeyPair {
  std::string certificate;
  std::string key;
};

// A CA that says yes to everything.
class Authority {
 public:
  Authority();

  // A certificate with these names, as openssl.cnf has them: "DNS:localhost,IP:127.0.0.1". Its
  // common name is "root", whatever its names. "" for no names at all.
  KeyPair Issue(const std::string& names, int days = 30) const;

  // Its own certificate.
  const std::string& certificate() const { return text_; }

 private:
  using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
  using Certificate = std::unique_ptr<X509, void (*)(X509*)>;

  static Key MakeKey();
  Certificate Make(const std::string& common_name, EVP_PKEY* key, int days) const;
  void Sign(X509* certificate) const;

  Key key_;
  Certificate own_;
  std::string text_;
};

}  // namespace jobtail::testing

#endif  // JOBTAIL_TESTS_SUPPORT_CERTIFICATES_H_
