// The search for secrets in a line's text.
#ifndef JOBTAIL_SERVER_RUN_MASKER_H_
#define JOBTAIL_SERVER_RUN_MASKER_H_

#include <re2/re2.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace jobtail {

// Finds what must not be seen in a line's text: secrets, literally and wherever they stand, and
// what patterns match. Immutable; thread-safe.
class Masker {
 public:
  // A secret of several lines is looked for line by line; of these, lines of less than 4 bytes are
  // left alone. Patterns are in RE2's syntax, valid, and match bytes.
  Masker(const std::vector<std::string>& secrets, const std::vector<std::string>& patterns);

  bool empty() const { return secrets_.empty() && patterns_.empty(); }

  struct Result {
    std::string text;  // what can be shown, each stretch of secrets replaced by kMask
    size_t held;       // where in the text that begins which cannot be judged before more has come
    size_t covered;    // how much from there on belongs to what the last kMask stands for
  };
  // Masks the beginning of a line. What is held back is to be given again, in front of what
  // follows, with `covered`. Nothing is held back if the text is `whole`. However a line is cut
  // into pieces, secrets are found, and the results together are the same.
  Result Mask(std::string_view text, size_t covered, bool whole) const;

  std::string Mask(std::string_view text) const { return Mask(text, 0, /*whole=*/true).text; }

 private:
  struct Secret {
    std::string text;
    std::vector<size_t> borders;  // of each prefix, the longest that is its proper suffix, too
  };
  using Interval = std::pair<size_t, size_t>;

  void AddSecret(std::string text);
  // Adds where the secret is; returns how long a beginning of it the text ends with.
  static size_t FindSecret(const Secret& secret, std::string_view text,
                           std::vector<Interval>* found);
  static void FindPattern(const RE2& pattern, std::string_view text, std::vector<Interval>* found);
  size_t HoldForPatterns(size_t held, size_t size, const std::vector<Interval>& merged) const;

  std::vector<Secret> secrets_;
  std::vector<std::unique_ptr<const RE2>> patterns_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_MASKER_H_
