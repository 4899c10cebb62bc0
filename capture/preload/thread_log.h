// The sink of one thread's lines in the preloaded library: a file of its own, or tagged lines.
#ifndef JOBTAIL_CAPTURE_PRELOAD_THREAD_LOG_H_
#define JOBTAIL_CAPTURE_PRELOAD_THREAD_LOG_H_

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "capture/preload/settings.h"
#include "capture/preload/shared_output.h"
#include "capture/sink.h"

namespace jobtail::capture::preload {

// Writes down what one thread prints, as the settings ask. Made on that thread; used by it, and by
// others for what it leaves unfinished. Thread-safe.
class ThreadLog : public Sink {
 public:
  explicit ThreadLog(const Settings& settings);

  void Write(std::span<const Line> lines) noexcept override;
  bool TryWrite(std::span<const Line> lines) noexcept override {
    Write(lines);
    return true;
  }

 private:
  // Of stdout and of stderr.
  struct Output {
    std::shared_ptr<SharedOutput> shared;
    uint64_t writer = 0;
    bool tagged = false;
  };

  void UseFile(const std::string& directory);
  void UseTags();
  void PassThrough(Stream stream);
  void UpdateTag();
  Output& output(Stream stream) { return outputs_[stream == Stream::kStderr]; }

  const pid_t thread_id_;
  std::array<Output, 2> outputs_;

  std::mutex mutex_;
  std::string tag_;
};

}  // namespace jobtail::capture::preload

#endif  // JOBTAIL_CAPTURE_PRELOAD_THREAD_LOG_H_
