// The file of a server's tokens.
#ifndef JOBTAIL_SERVER_ACCESS_TOKEN_FILE_H_
#define JOBTAIL_SERVER_ACCESS_TOKEN_FILE_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "jobtail/access/v1/tokens.pb.h"
#include "server/access/principal.h"
#include "server/access/secret.h"

namespace jobtail::access {

// The tokens that a server knows, as the file had them at one time. Never changes; thread-safe.
//
// There are 256 random bits in a token, so that a plain SHA-256 is all that the file needs to have
// of it: a hash that takes long would make each call take long, and protect nothing.
class TokenTable {
 public:
  // `file` is for messages. INVALID_ARGUMENT with a line for each mistake.
  static absl::StatusOr<std::shared_ptr<const TokenTable>> Parse(const std::string& text,
                                                                 const std::string& file);

  // Whose token it is. UNAUTHENTICATED if it is nobody's, revoked, or expired at `now`: the
  // messages of the latter two are for who has the secret alone.
  absl::StatusOr<std::shared_ptr<const Principal>> Find(std::string_view token,
                                                        absl::Time now) const;
  // The same for a token that was found before: whose it is by now.
  absl::StatusOr<std::shared_ptr<const Principal>> FindAgain(std::string_view id,
                                                             absl::Time now) const;

  // What is left of this table by `later`, which may take away and add nothing: a token that is not
  // there any more, is revoked there, or is another's goes; of two times at which it expires the
  // earlier counts, and of its groups those that both have.
  std::shared_ptr<const TokenTable> NarrowedBy(const TokenTable& later) const;

  size_t size() const { return tokens_.size(); }

 private:
  struct Entry {
    Digest digest;
    bool revoked;
    std::shared_ptr<const Principal> principal;
  };

  static absl::StatusOr<std::shared_ptr<const Principal>> Check(const Entry& entry, absl::Time now);

  absl::flat_hash_map<std::string, Entry> tokens_;  // by ID
};

// Whether a token may have that name, or a group: letters, digits, "-", ".", "_", "@", at most 63,
// and not "anonymous".
bool IsTokenName(std::string_view name);

// What `jobtaild token` does with the file. A change is written to a new file of mode 0600, which
// takes the place of the old one, whose owner it keeps; two who change it wait for one another.

struct NewToken {
  std::string name = {};
  std::vector<std::string> groups = {};
  absl::Time expires = absl::InfiniteFuture();
};

// Makes the token, and the file if there is none, and returns the whole of the token: it is nowhere
// else. INVALID_ARGUMENT for a name or group that is none; PERMISSION_DENIED, FAILED_PRECONDITION
// or UNKNOWN if the file cannot be read or written.
absl::StatusOr<std::string> CreateToken(const std::string& file, const NewToken& token,
                                        absl::Time now);
// By its ID, or by its name if one that is not revoked has it alone. NOT_FOUND.
absl::StatusOr<v1::Token> RevokeToken(const std::string& file, const std::string& id,
                                      absl::Time now);
absl::StatusOr<v1::TokenFile> ReadTokens(const std::string& file);

// "active", "expired" or "revoked".
std::string_view StateOf(const v1::Token& token, absl::Time now);

}  // namespace jobtail::access

#endif  // JOBTAIL_SERVER_ACCESS_TOKEN_FILE_H_
