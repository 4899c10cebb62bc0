// A reader's regular expression.
#ifndef JOBTAIL_SERVER_LOG_PATTERN_H_
#define JOBTAIL_SERVER_LOG_PATTERN_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "re2/re2.h"
#include "server/log/sieve.h"

namespace jobtail {

// A regular expression that was checked. It holds its text, at most 4 KiB, and what is needed for a
// quick look; what RE2 makes of it, which may grow to kMaxMemory, is held for all readers together,
// the kKept that were used last, and made anew where that is not enough. So a reader that waits
// takes no more than its text. Immutable, hence thread-safe.
class Pattern {
 public:
  static constexpr int64_t kMaxMemory = 2 << 20;  // bytes, of one
  static constexpr size_t kKept = 16;

  // INVALID_ARGUMENT for a pattern that is not RE2 syntax or too costly.
  static absl::StatusOr<Pattern> Make(const std::string& text);

  const Sieve& sieve() const { return sieve_; }

  // To be let go of after a piece of work.
  std::shared_ptr<const RE2> Compiled() const;

 private:
  Pattern(std::string text, Sieve sieve) : text_(std::move(text)), sieve_(std::move(sieve)) {}

  std::string text_;
  Sieve sieve_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_PATTERN_H_
