// Finding secrets in text that comes in pieces.
#include "server/run/masker.h"

#include <algorithm>

#include "absl/strings/str_split.h"
#include "server/run/parameter_check.h"

namespace jobtail {
namespace {

constexpr size_t kMinLineOfSeveral = 4;

// Of an unfinished line this much is held back for patterns; beyond it, what a match that reaches
// across the border may be long.
constexpr size_t kPatternHold = 64 << 10;
constexpr size_t kPatternOverlap = 4 << 10;

std::vector<std::pair<size_t, size_t>> Merge(std::vector<std::pair<size_t, size_t>> found) {
  std::ranges::sort(found);
  std::vector<std::pair<size_t, size_t>> merged;
  for (const auto& [begin, end] : found) {
    if (!merged.empty() && begin < merged.back().second) {
      merged.back().second = std::max(merged.back().second, end);
    } else {
      merged.emplace_back(begin, end);
    }
  }
  return merged;
}

}  // namespace

Masker::Masker(const std::vector<std::string>& secrets, const std::vector<std::string>& patterns) {
  for (const std::string& secret : secrets) {
    const std::vector<std::string> lines =
        absl::StrSplit(secret, absl::ByAnyChar("\r\n"), absl::SkipEmpty());
    for (const std::string& line : lines) {
      if (lines.size() == 1 || line.size() >= kMinLineOfSeveral) AddSecret(line);
    }
  }
  RE2::Options options(RE2::Latin1);
  options.set_log_errors(false);
  for (const std::string& pattern : patterns) {
    patterns_.push_back(std::make_unique<RE2>(pattern, options));
  }
}

void Masker::AddSecret(std::string text) {
  Secret secret{std::move(text), {0, 0}};
  size_t border = 0;
  for (size_t i = 1; i < secret.text.size(); ++i) {
    while (border > 0 && secret.text[i] != secret.text[border]) border = secret.borders[border];
    if (secret.text[i] == secret.text[border]) ++border;
    secret.borders.push_back(border);
  }
  secrets_.push_back(std::move(secret));
}

// Knuth, Morris and Pratt's search, from where there is something to find.
size_t Masker::FindSecret(const Secret& secret, std::string_view text,
                          std::vector<Interval>* found) {
  const size_t size = secret.text.size();
  const size_t first = text.find(secret.text);
  size_t matched = 0;
  for (size_t i = std::min(first, text.size() - std::min(text.size(), size - 1)); i < text.size();
       ++i) {
    while (matched > 0 && text[i] != secret.text[matched]) matched = secret.borders[matched];
    if (text[i] == secret.text[matched]) ++matched;
    if (matched < size) continue;
    found->emplace_back(i + 1 - size, i + 1);
    matched = secret.borders[size];
  }
  return matched;
}

void Masker::FindPattern(const RE2& pattern, std::string_view text, std::vector<Interval>* found) {
  const re2::StringPiece input(text.data(), text.size());
  re2::StringPiece match;
  for (size_t at = 0;
       at < text.size() && pattern.Match(input, at, text.size(), RE2::UNANCHORED, &match, 1);) {
    const size_t begin = match.data() - text.data();
    if (!match.empty()) found->emplace_back(begin, begin + match.size());
    at = begin + std::max<size_t>(match.size(), 1);
  }
}

// A match that goes on beyond the border is held back as a whole, if that leaves something to show.
size_t Masker::HoldForPatterns(size_t held, size_t size,
                               const std::vector<Interval>& merged) const {
  if (patterns_.empty()) return held;
  held = std::min(held, size - kPatternOverlap);
  for (const auto& [begin, end] : merged) {
    if (begin > 0 && begin < held && held < end) return begin;
  }
  return held;
}

Masker::Result Masker::Mask(std::string_view text, size_t covered, bool whole) const {
  if (!whole && !patterns_.empty() && text.size() <= kPatternHold) return {"", 0, covered};
  std::vector<Interval> found;
  if (covered > 0) found.emplace_back(0, covered);
  size_t begun = 0;
  for (const Secret& secret : secrets_) begun = std::max(begun, FindSecret(secret, text, &found));
  for (const auto& pattern : patterns_) FindPattern(*pattern, text, &found);
  const std::vector<Interval> merged = Merge(std::move(found));

  Result result{"", text.size(), 0};
  if (!whole) result.held = HoldForPatterns(text.size() - begun, text.size(), merged);
  size_t shown = 0;
  for (const auto& [begin, end] : merged) {
    if (begin >= result.held && begin >= covered) break;
    result.text.append(text.substr(shown, begin - shown));
    if (begin >= covered) result.text.append(kMask);
    shown = end;
  }
  if (shown >= result.held) {
    result.covered = shown - result.held;
  } else {
    result.text.append(text.substr(shown, result.held - shown));
  }
  return result;
}

}  // namespace jobtail
