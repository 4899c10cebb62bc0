// A thread that looks through the data directory.
#include "server/metrics/store_size.h"

#include <pthread.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace jobtail {

int64_t DirectorySize(const std::string& directory, const std::stop_token& stop) {
  namespace fs = std::filesystem;
  int64_t bytes = 0;
  std::error_code error;
  for (auto file = fs::recursive_directory_iterator(directory, error);
       !error && file != fs::recursive_directory_iterator() && !stop.stop_requested();
       file.increment(error)) {
    std::error_code gone;
    if (!file->is_regular_file(gone)) continue;
    const auto size = file->file_size(gone);
    if (!gone) bytes += static_cast<int64_t>(size);
  }
  return bytes;
}

// Shared with the thread, which may come back late.
struct StoreSize::State {
  std::mutex mutex;  // of the standard library, for the clock; guards what follows
  std::condition_variable changed;
  std::stop_source stop;
  bool measuring = true;  // the clock is not in use
  bool ended = false;
  std::optional<int64_t> bytes;
};

StoreSize::StoreSize(Measure measure, Clock* clock) : state_(std::make_shared<State>()) {
  try {
    std::thread([state = state_, measure = std::move(measure), clock] {
      pthread_setname_np(pthread_self(), "store-size");
      Run(*state, measure, clock);
    }).detach();
  } catch (const std::system_error&) {
    state_->ended = true;  // the figure stays away
  }
}

StoreSize::~StoreSize() {
  std::unique_lock lock(state_->mutex);
  state_->stop.request_stop();
  state_->changed.notify_all();
  state_->changed.wait(lock, [this] { return state_->ended || state_->measuring; });
}

std::optional<int64_t> StoreSize::bytes() const {
  const std::lock_guard lock(state_->mutex);
  return state_->bytes;
}

void StoreSize::Run(State& state, const Measure& measure, Clock* clock) {
  std::unique_lock lock(state.mutex);
  while (!state.stop.stop_requested()) {
    state.measuring = true;
    lock.unlock();
    const int64_t bytes = measure(state.stop.get_token());
    lock.lock();
    if (state.stop.stop_requested()) break;  // and perhaps the clock is gone
    state.measuring = false;
    state.bytes = bytes;
    const absl::Duration next = clock->Steady() + kInterval;
    while (!state.stop.stop_requested() && clock->Steady() < next) {
      clock->WaitUntil(next, lock, state.changed);
    }
  }
  state.ended = true;
  state.changed.notify_all();
}

}  // namespace jobtail
