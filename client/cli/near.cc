#include "client/cli/near.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/text.h"

namespace jobtail::client::cli {
namespace {

constexpr size_t kMaxNames = 3;
constexpr size_t kMaxLength = 100;  // of a name that is compared; the work is its square

// The optimal string alignment distance.
size_t Distance(const std::string& a, const std::string& b) {
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

// The distance, or more than any that counts as near.
size_t Farness(const std::string& name, const std::string& other) {
  if (absl::StartsWith(other, name) || absl::StartsWith(name, other)) return 1;
  return Distance(name, other);
}

}  // namespace

std::vector<std::string> NearNames(const std::string& name, const std::vector<std::string>& names) {
  std::vector<std::pair<size_t, std::string>> near;
  if (name.empty() || name.size() > kMaxLength) return {};
  const size_t limit = std::max<size_t>(name.size() / 3, 1);
  for (const std::string& other : names) {
    if (other.empty() || other.size() > kMaxLength) continue;
    const size_t farness = Farness(name, other);
    if (farness <= limit) near.emplace_back(farness, other);
  }
  std::stable_sort(near.begin(), near.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  near.resize(std::min(near.size(), kMaxNames));
  std::vector<std::string> result;
  for (auto& [farness, other] : near) result.push_back(std::move(other));
  return result;
}

std::string DidYouMean(const std::string& name, const std::vector<std::string>& names) {
  std::vector<std::string> near = NearNames(name, names);
  if (near.empty()) return "";
  for (std::string& other : near) other = Printable(other);
  return absl::StrCat("; did you mean ", absl::StrJoin(near, " or "), "?");
}

}  // namespace jobtail::client::cli
