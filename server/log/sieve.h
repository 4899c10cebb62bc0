// A quick test that passes whatever may match a pattern, for many records at once.
#ifndef JOBTAIL_SERVER_LOG_SIEVE_H_
#define JOBTAIL_SERVER_LOG_SIEVE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "re2/re2.h"
#include "server/log/literal.h"

namespace jobtail {

// What must be found in the encoded bytes of records for a pattern to match the text of one of
// them. The text lies in them verbatim, so that
// - a text that matches has one of the literals in it, if the pattern has any that are needed;
// - a pattern that looks at nothing around a match (no ^, $ or \b) also matches where it matches
//   the text, in all the bytes.
// It passes too much: what it finds may be no text, or reach over the end of one. Never too little.
//
// A value, some hundred bytes; immutable, hence thread-safe.
class Sieve {
 public:
  enum class Kind {
    kNone,      // nothing is quicker than the pattern on each text
    kLiterals,  // look for the literals
    kPattern,   // look for the pattern itself
  };

  // Of `pattern`, which RE2 takes with these options.
  static Sieve Make(const std::string& pattern, const RE2::Options& options);

  Kind kind() const { return kind_; }
  // Without any of these, there is no match.
  const std::vector<std::string>& literals() const { return literals_; }
  // Whether the literals are to be looked for in bytes whose letters (of ASCII) are small ones.
  bool in_lower_case() const { return in_lower_case_; }
  // Whether a match may depend on what is around it, as with ^, $ and \b.
  bool looks_around() const { return looks_around_; }

 private:
  Kind kind_ = Kind::kNone;
  std::vector<std::string> literals_;
  bool in_lower_case_ = false;
  bool looks_around_ = false;
};

// Finds literals from front to back, looking at each byte once for each literal. Refers to the
// text and to the literals, which outlive it.
class LiteralFinder {
 public:
  static constexpr size_t kNowhere = Literal::kNowhere;

  explicit LiteralFinder(const std::vector<std::string>& literals);

  // From now on looks into these.
  void LookInto(std::string_view bytes);

  // Where the first of them begins at or after `from`, which never decreases; kNowhere if none
  // does.
  size_t Find(size_t from);

 private:
  std::vector<Literal> literals_;
  std::string_view bytes_;
  std::vector<size_t> found_;  // of each literal, the first not before what was asked for last
};

// Sets `*lower` to `bytes` with the small letters of ASCII in place of the large ones.
void ToLowerCase(std::string_view bytes, std::string* lower);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_SIEVE_H_
