// Finds out what a pattern needs, and looks for it.
#include "server/log/sieve.h"

#include <re2/filtered_re2.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>

namespace jobtail {
namespace {

// Shorter ones are found everywhere.
constexpr int kLeastLiteralBytes = 2;
// Each is looked for by itself. Of more the pattern is quicker.
constexpr size_t kMostLiterals = 6;
// Choosing takes the square of it.
constexpr size_t kMostCandidates = 64;

bool IsPlain(std::string_view pattern) {
  return pattern.find_first_of(R"(\.+*?()|[]{}^$)") == std::string_view::npos;
}

// Whether a match does not depend on what is around it. False where that is not plain to see.
bool LooksAtNothingAround(std::string_view pattern) {
  bool is_class_begun = false;  // just now: a "^" excludes
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '$' || (c == '^' && !is_class_begun)) return false;
    if (c == '\\' && ++i < pattern.size() && std::strchr("AzZbBCQEG", pattern[i])) return false;
    is_class_begun = c == '[';
  }
  return true;
}

// Whether a pattern has no letters but those that it shows, all of them small: what it needs in
// small letters it needs as it is. False where that is not plain to see. (A class of more than ten
// characters gives no literals, so that ranges of letters do not count.)
bool IsInLowerCase(std::string_view pattern) {
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c >= 'A' && c <= 'Z') return false;
    if (c == '(' && pattern.substr(i, 2) == "(?" && pattern.substr(i, 3) != "(?:") return false;
    if (c != '\\') continue;
    if (++i == pattern.size() ||
        !std::strchr("dDsSwWbBntrf.\\+*?()|[]{}^$-/:\"'=<> ", pattern[i])) {
      return false;
    }
  }
  return true;
}

// Literals in small letters without any of which nothing matches; empty if there are none.
std::vector<std::string> NeededLiterals(const std::string& pattern, const RE2::Options& options) {
  re2::FilteredRE2 filtered(kLeastLiteralBytes);
  int id = 0;
  std::vector<std::string> candidates;
  if (filtered.Add(pattern, options, &id) != RE2::NoError) return {};
  filtered.Compile(&candidates);
  if (candidates.empty() || candidates.size() > kMostCandidates) return {};
  std::vector<bool> needed(candidates.size(), true);
  const auto matches_without_needed = [&] {
    std::vector<int> found;
    std::vector<int> possible;
    for (size_t i = 0; i < needed.size(); ++i) {
      if (!needed[i]) found.push_back(static_cast<int>(i));
    }
    filtered.AllPotentials(found, &possible);
    return !possible.empty();
  };
  if (matches_without_needed()) return {};
  std::vector<size_t> shortest_first(candidates.size());
  std::iota(shortest_first.begin(), shortest_first.end(), 0);
  std::ranges::stable_sort(shortest_first, {}, [&](size_t i) { return candidates[i].size(); });
  for (const size_t i : shortest_first) {
    needed[i] = false;
    if (matches_without_needed()) needed[i] = true;
  }
  std::vector<std::string> literals;
  for (size_t i = 0; i < needed.size(); ++i) {
    if (needed[i]) literals.push_back(std::move(candidates[i]));
  }
  return literals;
}

char ToLower(char c) {
  const bool is_large = static_cast<unsigned char>(c - 'A') < 26;
  return static_cast<char>(c + (is_large ? 'a' - 'A' : 0));
}

}  // namespace

// FilteredRE2 has its literals in small letters, of all scripts where the pattern is UTF-8: only
// those of Latin-1, where it changes ASCII alone, can be compared with bytes.
Sieve Sieve::Make(const std::string& pattern, const RE2::Options& options) {
  Sieve sieve;
  sieve.looks_around_ = !LooksAtNothingAround(pattern);
  if (IsPlain(pattern)) {
    sieve.literals_ = {pattern};
  } else if (options.encoding() == RE2::Options::EncodingLatin1) {
    sieve.literals_ = NeededLiterals(pattern, options);
    sieve.in_lower_case_ = !IsInLowerCase(pattern);
  }
  if (sieve.literals_.size() > kMostLiterals) sieve.literals_.clear();
  if (!sieve.literals_.empty()) {
    sieve.kind_ = Kind::kLiterals;
  } else if (!sieve.looks_around_) {
    sieve.kind_ = Kind::kPattern;
  }
  return sieve;
}

LiteralFinder::LiteralFinder(const std::vector<std::string>& literals)
    : literals_(literals.begin(), literals.end()), found_(literals.size(), kNowhere) {}

void LiteralFinder::LookInto(std::string_view bytes) {
  bytes_ = bytes;
  for (size_t i = 0; i < literals_.size(); ++i) found_[i] = literals_[i].FindIn(bytes_, 0);
}

size_t LiteralFinder::Find(size_t from) {
  size_t first = kNowhere;
  for (size_t i = 0; i < found_.size(); ++i) {
    if (found_[i] < from) found_[i] = literals_[i].FindIn(bytes_, from);
    first = std::min(first, found_[i]);
  }
  return first;
}

// In blocks of a size that the compiler knows, which it makes into a few wide instructions.
void ToLowerCase(std::string_view bytes, std::string* lower) {
  constexpr size_t kBlock = 64;
  lower->resize(bytes.size());
  size_t i = 0;
  for (; i + kBlock <= bytes.size(); i += kBlock) {
    std::array<char, kBlock> block;
    std::memcpy(block.data(), bytes.data() + i, kBlock);
    for (char& c : block) c = ToLower(c);
    std::memcpy(lower->data() + i, block.data(), kBlock);
  }
  for (; i < bytes.size(); ++i) (*lower)[i] = ToLower(bytes[i]);
}

}  // namespace jobtail
