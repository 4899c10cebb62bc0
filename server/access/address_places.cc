// Counts by address.
#include "server/access/address_places.h"

#include <algorithm>

#include "server/access/quotas.h"

namespace jobtail::access {
namespace {

// However few connections there may be.
constexpr size_t kFew = 16;

}  // namespace

AddressPlaces::Limits AddressPlaces::Limits::Of(size_t connections) {
  const size_t total = std::max(kFew, connections / 4);
  return {.total = total, .of_address = total / 2};
}

bool AddressPlaces::HasRoom(const std::string& address) const {
  absl::MutexLock lock(&mutex_);
  return tally_.HasRoom(address, limits_.total, limits_.of_address);
}

AddressPlaces::Place AddressPlaces::Enter(const std::string& address) {
  absl::MutexLock lock(&mutex_);
  tally_.Add(address);
  return {this, address};
}

std::optional<AddressPlaces::Place> AddressPlaces::TryEnter(const std::string& address) {
  absl::MutexLock lock(&mutex_);
  if (!tally_.HasRoom(address, limits_.total, limits_.of_address)) return std::nullopt;
  tally_.Add(address);
  return Place(this, address);
}

int64_t AddressPlaces::count() const {
  absl::MutexLock lock(&mutex_);
  return static_cast<int64_t>(tally_.total());
}

void AddressPlaces::Leave(const std::string& address) {
  absl::MutexLock lock(&mutex_);
  tally_.Remove(address);
}

absl::Status TooManyAnonymous() {
  absl::Status error = absl::ResourceExhaustedError(
      "there are as many connections as there may be of callers who do not say who they are, or of "
      "those at this address; say who you are, or come back in 1s");
  SetRetryAfter(absl::Seconds(1), &error);
  return error;
}

}  // namespace jobtail::access
