// Counts by address.
#include "server/access/newcomers.h"

#include <algorithm>

namespace jobtail::access {
namespace {

// However few connections there may be.
constexpr size_t kFew = 16;

}  // namespace

Newcomers::Limits Newcomers::Limits::Of(size_t connections) {
  const size_t total = std::max(kFew, connections / 4);
  return {.total = total, .of_address = total / 2};
}

bool Newcomers::HasRoom(const std::string& address) const {
  absl::MutexLock lock(&mutex_);
  const auto found = addresses_.find(address);
  return total_ < limits_.total &&
         (found == addresses_.end() || found->second < limits_.of_address);
}

Newcomers::Place Newcomers::Enter(const std::string& address) {
  absl::MutexLock lock(&mutex_);
  ++total_;
  ++addresses_[address];
  return Place(this, address);
}

int64_t Newcomers::count() const {
  absl::MutexLock lock(&mutex_);
  return static_cast<int64_t>(total_);
}

void Newcomers::Leave(const std::string& address) {
  absl::MutexLock lock(&mutex_);
  --total_;
  const auto found = addresses_.find(address);
  if (--found->second == 0) addresses_.erase(found);
}

}  // namespace jobtail::access
