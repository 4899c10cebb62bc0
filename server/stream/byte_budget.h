// How much memory clients may have the server hold for them.
#ifndef JOBTAIL_SERVER_STREAM_BYTE_BUDGET_H_
#define JOBTAIL_SERVER_STREAM_BYTE_BUDGET_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "base/tally.h"

namespace jobtail {

// Bounds, in bytes, on what clients can make the server hold by sending requests without an end,
// by not reading answers, and by asking faster than they are answered: for each connection, for all
// connections of a client's address, and in all. One client that reaches its bound is refused;
// others do not notice. Both doors have the same budget. Thread-safe.
class ByteBudget {
 public:
  struct Limits {
    size_t connection = size_t{32} << 20;
    size_t address = size_t{64} << 20;
    size_t total = size_t{256} << 20;
  };

  // What a connection has of the budget for one purpose; gives it back in the end. Not thread-safe.
  class Reservation {
   public:
    Reservation() = default;  // can have nothing
    // Has nothing yet. `connection` is as its door names it: "ipv4:127.0.0.1:50000". The budget
    // outlives the reservation.
    Reservation(ByteBudget* budget, std::string connection)
        : budget_(budget), connection_(std::move(connection)) {}
    ~Reservation() { Release(); }

    Reservation(Reservation&& other) noexcept;
    Reservation& operator=(Reservation&& other) noexcept;

    // Has so many bytes from now on. RESOURCE_EXHAUSTED, with nothing changed, if that is more than
    // before and goes beyond a bound.
    absl::Status Resize(size_t bytes);
    void Release();

    size_t bytes() const { return bytes_; }

   private:
    ByteBudget* budget_ = nullptr;
    std::string connection_;
    size_t bytes_ = 0;
  };

  explicit ByteBudget(const Limits& limits) : limits_(limits) {}

  ByteBudget(const ByteBudget&) = delete;
  ByteBudget& operator=(const ByteBudget&) = delete;

  // How much is reserved in all.
  size_t reserved() const;

 private:
  absl::Status Take(const std::string& connection, size_t bytes);
  void GiveBack(const std::string& connection, size_t bytes);
  absl::Status Beyond(std::string_view whose, size_t bytes, size_t limit) const;

  const Limits limits_;
  mutable absl::Mutex mutex_;
  Tally connections_ ABSL_GUARDED_BY(mutex_);
  Tally addresses_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STREAM_BYTE_BUDGET_H_
