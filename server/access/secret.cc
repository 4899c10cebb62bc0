// Random bytes and SHA-256 of OpenSSL, and the form of tokens.
#include "server/access/secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace jobtail::access {
namespace {

constexpr std::string_view kPrefix = "jt_";
constexpr size_t kIdDigits = 16;
constexpr size_t kSecretDigits = 64;
constexpr size_t kTokenSize = kPrefix.size() + kIdDigits + 1 + kSecretDigits;

bool IsHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::string RandomHex(size_t bytes) {
  std::vector<unsigned char> random(bytes);
  if (RAND_bytes(random.data(), static_cast<int>(bytes)) != 1) std::abort();  // no secret, then
  const std::string hex = absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(random.data()), random.size()));
  OPENSSL_cleanse(random.data(), random.size());
  return hex;
}

Digest DigestOf(std::string_view text) {
  Digest digest{};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  return digest;
}

std::string ToHex(const Digest& digest) {
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

std::optional<Digest> ParseDigest(std::string_view hex) {
  Digest digest{};
  if (hex.size() != 2 * digest.size() || !IsHex(hex)) return std::nullopt;
  const std::string bytes = absl::HexStringToBytes(absl::string_view(hex.data(), hex.size()));
  std::ranges::copy(bytes, digest.begin());
  return digest;
}

bool AreEqual(const Digest& a, const Digest& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string MakeToken() {
  return absl::StrCat("jt_", RandomHex(kIdDigits / 2), "_", RandomHex(kSecretDigits / 2));
}

std::string_view TokenId(std::string_view token) {
  if (token.size() != kTokenSize || !token.starts_with(kPrefix)) return "";
  const std::string_view id = token.substr(kPrefix.size(), kIdDigits);
  const std::string_view rest = token.substr(kPrefix.size() + kIdDigits);
  return IsHex(id) && rest.front() == '_' && IsHex(rest.substr(1)) ? id : "";
}

bool HasToken(std::string_view text) {
  for (size_t at = text.find(kPrefix); at != std::string_view::npos;
       at = text.find(kPrefix, at + 1)) {
    if (!TokenId(text.substr(at, kTokenSize)).empty()) return true;
  }
  return false;
}

}  // namespace jobtail::access
