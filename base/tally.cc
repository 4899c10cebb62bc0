// Counts by name.
#include "base/tally.h"

namespace jobtail {

void Tally::Add(const std::string& name, size_t amount) {
  if (amount == 0) return;
  counts_[name] += amount;
  total_ += amount;
}

void Tally::Remove(const std::string& name, size_t amount) {
  if (amount == 0) return;
  const auto found = counts_.find(name);
  found->second -= amount;
  total_ -= amount;
  if (found->second == 0) counts_.erase(found);
}

size_t Tally::Of(const std::string& name) const {
  const auto found = counts_.find(name);
  return found == counts_.end() ? 0 : found->second;
}

}  // namespace jobtail
