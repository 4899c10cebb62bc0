// What a mistyped name was probably meant to be.

#include "base/nearest_names.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/quoting.h"

namespace jobtail {
namespace {

constexpr size_t kMaxNames = 3;
constexpr size_t kMaxBytes = 100;

// The optimal string alignment distance.
size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, changed});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

// A name that was typed in part is as near as one with a wrong letter.
size_t Distance(const std::string& name, const std::string& other) {
  const std::string a = absl::AsciiStrToLower(name);
  const std::string b = absl::AsciiStrToLower(other);
  if (absl::StartsWith(b, a) || absl::StartsWith(a, b)) return 1;
  return EditDistance(a, b);
}

}  // namespace

std::vector<std::string> NearestNames(const std::string& name,
                                      const std::vector<std::string>& names) {
  if (name.empty() || name.size() > kMaxBytes) return {};
  const size_t limit = std::max<size_t>(name.size() / 3, 1);
  std::vector<std::pair<size_t, std::string>> near;
  for (const std::string& other : names) {
    if (other.empty() || other.size() > kMaxBytes) continue;
    const size_t distance = Distance(name, other);
    if (distance <= limit) near.emplace_back(distance, other);
  }
  std::stable_sort(near.begin(), near.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  near.resize(std::min(near.size(), kMaxNames));
  std::vector<std::string> result;
  for (auto& [distance, other] : near) result.push_back(std::move(other));
  return result;
}

std::string DidYouMean(const std::string& name, const std::vector<std::string>& names) {
  std::vector<std::string> nearest = NearestNames(name, names);
  if (nearest.empty()) return "";
  for (std::string& other : nearest) other = Printable(other);
  return absl::StrCat("; did you mean ", absl::StrJoin(nearest, " or "), "?");
}

}  // namespace jobtail
