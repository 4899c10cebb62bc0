// Keys and certificates by OpenSSL.
#include "tests/support/certificates.h"

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

namespace jobtail::testing {
namespace {

std::string TextOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);  // NOLINT(google-runtime-int)
  std::string text(data, static_cast<size_t>(size));
  BIO_free(bio);
  return text;
}

std::string ToPem(X509* certificate) {
  BIO* const bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  return TextOf(bio);
}

std::string ToPem(EVP_PKEY* key) {
  BIO* const bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  return TextOf(bio);
}

void Extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  ASSERT_NE(extension, nullptr) << value;
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

Authority::Authority() : key_(MakeKey()), own_(nullptr, X509_free) {
  own_ = Make("a CA for tests", key_.get(), 30);
  Extend(own_.get(), own_.get(), NID_basic_constraints, "critical,CA:TRUE");
  Sign(own_.get());
  text_ = ToPem(own_.get());
}

KeyPair Authority::Issue(const std::string& names, int days) const {
  const Key key = MakeKey();
  const Certificate certificate = Make("root", key.get(), days);
  if (!names.empty()) Extend(certificate.get(), own_.get(), NID_subject_alt_name, names);
  Sign(certificate.get());
  return {ToPem(certificate.get()), ToPem(key.get())};
}

Authority::Key Authority::MakeKey() { return {EVP_EC_gen("P-256"), EVP_PKEY_free}; }

Authority::Certificate Authority::Make(const std::string& common_name, EVP_PKEY* key,
                                       int days) const {
  constexpr int kDay = 86'400;
  Certificate certificate(X509_new(), X509_free);
  X509_set_version(certificate.get(), X509_VERSION_3);
  uint32_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), static_cast<long>(days) * kDay);  // NOLINT
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(certificate.get(),
                       X509_get_subject_name(own_ ? own_.get() : certificate.get()));
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

void Authority::Sign(X509* certificate) const {
  EXPECT_GT(X509_sign(certificate, key_.get(), EVP_sha256()), 0);
}

}  // namespace jobtail::testing
