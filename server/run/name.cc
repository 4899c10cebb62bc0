// The names of jobs and parameters.

#include "server/run/name.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace jobtail {

bool IsName(std::string_view name, bool dash) {
  constexpr size_t kMaxBytes = 63;
  if (name.empty() || name.size() > kMaxBytes || !absl::ascii_islower(name.front())) return false;
  return std::ranges::all_of(name, [dash](unsigned char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_' || (dash && c == '-');
  });
}

}  // namespace jobtail
