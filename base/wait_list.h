// The callbacks of those who wait for the next change of something.
#ifndef JOBTAIL_BASE_WAIT_LIST_H_
#define JOBTAIL_BASE_WAIT_LIST_H_

#include <cstdint>
#include <functional>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace jobtail {

// Functions to be called once when something has changed. Not thread-safe: guarded by its owner's
// lock. The functions are called, and destroyed, without that lock.
class WaitList {
 public:
  using Function = std::function<void()>;
  using Functions = absl::flat_hash_map<int64_t, Function>;

  int64_t Add(Function function) {
    functions_[next_id_] = std::move(function);
    return next_id_++;
  }

  // Returns the function, if it is still there, for the caller to destroy.
  Function Remove(int64_t id) {
    const auto found = functions_.find(id);
    if (found == functions_.end()) return nullptr;
    Function function = std::move(found->second);
    functions_.erase(found);
    return function;
  }

  Functions TakeAll() { return std::exchange(functions_, {}); }

  bool empty() const { return functions_.empty(); }

  // To be called without the lock that guards the list: the functions may come back to it.
  static void CallAll(const Functions& functions) {
    for (const auto& [id, function] : functions) function();
  }

 private:
  int64_t next_id_ = 0;
  Functions functions_;
};

}  // namespace jobtail

#endif  // JOBTAIL_BASE_WAIT_LIST_H_
