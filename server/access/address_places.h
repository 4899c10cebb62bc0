// Places for what is only known by the address that it comes from.
#ifndef JOBTAIL_SERVER_ACCESS_ADDRESS_PLACES_H_
#define JOBTAIL_SERVER_ACCESS_ADDRESS_PLACES_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "base/tally.h"

namespace jobtail::access {

// Counts connections, all and for each client address (see NetworkOf), so that they leave room for
// others: a door has one of these for those of which nobody has proved anything yet, from their
// beginning until their first call that is admitted, and one for those whose calls are admitted
// without a proof. Thread-safe. Outlives its places.
class AddressPlaces {
 public:
  struct Limits {
    size_t total = std::numeric_limits<size_t>::max();
    size_t of_address = std::numeric_limits<size_t>::max();

    // Of so many connections a quarter, half of that for one address.
    static Limits Of(size_t connections);
  };

  // A connection that counts; until it is destroyed.
  class Place {
   public:
    Place() = default;
    Place(Place&& other) noexcept
        : places_(std::exchange(other.places_, nullptr)), address_(std::move(other.address_)) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(places_, other.places_);
      std::swap(address_, other.address_);
      return *this;
    }
    ~Place() {
      if (places_) places_->Leave(address_);
    }

   private:
    friend class AddressPlaces;
    Place(AddressPlaces* places, std::string address)
        : places_(places), address_(std::move(address)) {}

    AddressPlaces* places_ = nullptr;
    std::string address_;
  };

  explicit AddressPlaces(const Limits& limits) : limits_(limits) {}

  // Whether one more of that address may come, and to have it count whether or not it may.
  bool HasRoom(const std::string& address) const;
  Place Enter(const std::string& address);
  // Both in one; nullopt, and not counted, if it may not.
  std::optional<Place> TryEnter(const std::string& address);

  int64_t count() const;
  const Limits& limits() const { return limits_; }

 private:
  void Leave(const std::string& address);

  const Limits limits_;
  mutable absl::Mutex mutex_;
  Tally tally_ ABSL_GUARDED_BY(mutex_);
};

// What a caller who is not known is told where there is no place for another such connection.
absl::Status TooManyAnonymous();

}  // namespace jobtail::access

#endif  // JOBTAIL_SERVER_ACCESS_ADDRESS_PLACES_H_
