// Whether the process grows.
#ifndef JOBTAIL_SERVER_RPC_GROWTH_H_
#define JOBTAIL_SERVER_RPC_GROWTH_H_

#include <algorithm>
#include <cstdint>
#include <limits>

namespace jobtail {

// Notes how large the process is, some times a second: it is growing once it has grown by a step,
// from whatever it was or has shrunk to since the last one, and for some looks more. However slowly
// it grows, each step is noticed. For one thread.
class Growth {
 public:
  static constexpr int64_t kStep = 16 << 20;  // bytes
  static constexpr int kLooks = 50;

  // It has so many bytes now. Returns is_growing.
  bool Note(int64_t resident) {
    floor_ = std::min(floor_, resident);
    if (resident - floor_ >= kStep) {
      floor_ = resident;
      looks_left_ = kLooks;
    }
    if (looks_left_ > 0) --looks_left_;
    return is_growing();
  }

  // Whether it was at the last look, or not long before.
  bool is_growing() const { return looks_left_ > 0; }

 private:
  int64_t floor_ = std::numeric_limits<int64_t>::max();  // what it has grown from
  int looks_left_ = 0;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_GROWTH_H_
