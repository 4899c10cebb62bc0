// Random secrets, their digests, and comparing these without telling how far they agree.
#ifndef JOBTAIL_SERVER_ACCESS_SECRET_H_
#define JOBTAIL_SERVER_ACCESS_SECRET_H_

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace jobtail::access {

using Digest = std::array<unsigned char, 32>;

// So many random bytes of the system's generator, as lower-case hexadecimal digits.
std::string RandomHex(size_t bytes);

// SHA-256.
Digest DigestOf(std::string_view text);
std::string ToHex(const Digest& digest);
// Nothing if these are not the digits of a digest.
std::optional<Digest> ParseDigest(std::string_view hex);

// In a time that does not depend on what they are.
bool AreEqual(const Digest& a, const Digest& b);

// A token: "jt_ID_SECRET", 16 hexadecimal digits that everybody may know, and 64 that nobody may.
std::string MakeToken();
// The ID; empty if `token` has not the form of a token.
std::string_view TokenId(std::string_view token);
// Whether there is a token anywhere in `text`: in an address, which others write down, for example.
bool HasToken(std::string_view text);

}  // namespace jobtail::access

#endif  // JOBTAIL_SERVER_ACCESS_SECRET_H_
