// Key pairs and signatures, by librhonabwy.
#include "tests/server/oidc/signer.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace jobtail::oidc::testing {
namespace {

std::string Take(char* text) {
  EXPECT_NE(text, nullptr);
  std::string taken = text ? text : "";
  r_free(text);
  return taken;
}

}  // namespace

Signer::Signer(int type, unsigned extent, const std::string& kid) {
  r_global_init();
  jwk_t* secret = nullptr;
  jwk_t* open = nullptr;
  r_jwk_init(&secret);
  r_jwk_init(&open);
  private_.reset(secret);
  public_.reset(open);
  EXPECT_EQ(r_jwk_generate_key_pair(secret, open, type, extent, kid.c_str()), RHN_OK);
}

std::string Signer::Jwk(const std::string& more) const {
  std::string text = Take(r_jwk_export_to_json_str(public_.get(), 0));
  if (!more.empty()) text.insert(1, more + ",");
  return text;
}

std::string Signer::Sign(const std::string& algorithm, const std::string& payload,
                         const std::string& header) const {
  jws_t* jws = nullptr;
  r_jws_init(&jws);
  const std::unique_ptr<jws_t, decltype(&r_jws_free)> owned(jws, r_jws_free);
  EXPECT_EQ(r_jws_set_full_header_json_str(jws, header.c_str()), RHN_OK);
  r_jws_set_alg(jws, r_str_to_jwa_alg(algorithm.c_str()));
  r_jws_set_payload(jws, reinterpret_cast<const unsigned char*>(payload.data()), payload.size());
  const std::unique_ptr<jwk_t, decltype(&r_jwk_free)> key(r_jwk_copy(private_.get()), r_jwk_free);
  r_jwk_delete_property_str(key.get(), "kid");  // or it would be put into each header
  return Take(r_jws_serialize(jws, key.get(), 0));
}

const Signer& RsaSigner() {
  static const auto& signer = *new Signer(R_KEY_TYPE_RSA, 2048, "rsa");
  return signer;
}

const Signer& EcSigner() {
  static const auto& signer = *new Signer(R_KEY_TYPE_EC, 256, "ec");
  return signer;
}

std::string Jwks(const std::string& keys) { return absl::StrCat("{\"keys\":[", keys, "]}"); }

std::string Encode(const std::string& text) { return absl::WebSafeBase64Escape(text); }

}  // namespace jobtail::oidc::testing
