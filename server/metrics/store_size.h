// How large the data directory is, for whoever asks and must not wait for the disk.
#ifndef JOBTAIL_SERVER_METRICS_STORE_SIZE_H_
#define JOBTAIL_SERVER_METRICS_STORE_SIZE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/time/time.h"
#include "base/clock.h"

namespace jobtail {

// The size of all files in a directory, in bytes. Files come and go meanwhile. Waits for the disk;
// looks at `stop` between two files, and then returns what it has.
int64_t DirectorySize(const std::string& directory, const std::stop_token& stop = {});

// Measures every so often, on a thread of its own, and remembers. A disk that hangs holds up that
// thread alone. Thread-safe, but for the destructor, which is the owner's.
class StoreSize {
 public:
  using Measure = std::function<int64_t(const std::stop_token& stop)>;

  static constexpr absl::Duration kInterval = absl::Seconds(15);

  // Measures at once, and then every kInterval. `clock` outlives this object; `measure` is called,
  // and what it holds kept alive, beyond the end of it if it does not return.
  explicit StoreSize(Measure measure, Clock* clock = Clock::System());
  // Asks a measurement under way to stop, and does not wait for it: its thread touches nothing of
  // this object or the clock any more, and ends when the disk lets it.
  ~StoreSize();

  StoreSize(const StoreSize&) = delete;
  StoreSize& operator=(const StoreSize&) = delete;

  // As it was when it was measured last; nullopt before the first time. Never waits.
  std::optional<int64_t> bytes() const;

 private:
  struct State;
  static void Run(State& state, const Measure& measure, Clock* clock);

  const std::shared_ptr<State> state_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_METRICS_STORE_SIZE_H_
