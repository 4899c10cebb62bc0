// Connections of which nobody has proved yet who is at the other end.
#ifndef JOBTAIL_SERVER_ACCESS_NEWCOMERS_H_
#define JOBTAIL_SERVER_ACCESS_NEWCOMERS_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace jobtail::access {

// Counts them, all and for each address, so that they leave room for those who are known. A
// connection counts from its beginning until its first call that is admitted. Thread-safe. Outlives
// its places.
class Newcomers {
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
        : newcomers_(std::exchange(other.newcomers_, nullptr)),
          address_(std::move(other.address_)) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(newcomers_, other.newcomers_);
      std::swap(address_, other.address_);
      return *this;
    }
    ~Place() {
      if (newcomers_) newcomers_->Leave(address_);
    }

   private:
    friend class Newcomers;
    Place(Newcomers* newcomers, std::string address)
        : newcomers_(newcomers), address_(std::move(address)) {}

    Newcomers* newcomers_ = nullptr;
    std::string address_;
  };

  explicit Newcomers(const Limits& limits) : limits_(limits) {}

  // Whether one more of that address may come, and to have it count.
  bool HasRoom(const std::string& address) const;
  Place Enter(const std::string& address);

  int64_t count() const;

 private:
  void Leave(const std::string& address);

  const Limits limits_;
  mutable absl::Mutex mutex_;
  size_t total_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<std::string, size_t> addresses_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobtail::access

#endif  // JOBTAIL_SERVER_ACCESS_NEWCOMERS_H_
