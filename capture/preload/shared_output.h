// An output that several threads' lines go to, each line whole.
#ifndef JOBTAIL_CAPTURE_PRELOAD_SHARED_OUTPUT_H_
#define JOBTAIL_CAPTURE_PRELOAD_SHARED_OUTPUT_H_

#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "capture/sink.h"

namespace jobtail::capture::preload {

// A file or a real output that several writers write lines to, so that none is torn apart by
// another one. Text without a newline is written at once, and if another writer comes before the
// rest of it, a newline is put between. Thread-safe.
class SharedOutput {
 public:
  // `descriptor` tells where to write, each time; -1 if that is not possible now.
  explicit SharedOutput(std::function<int()> descriptor) : descriptor_(std::move(descriptor)) {}

  // What tells one writer from another: never 0, never the same twice.
  static uint64_t NewWriter();

  // Each line begins with `prefix`.
  void Write(uint64_t writer, std::string_view prefix, std::span<const Line> lines);

 private:
  void Add(uint64_t writer, std::string_view prefix, const Line& line);

  const std::function<int()> descriptor_;

  std::mutex mutex_;
  uint64_t unfinished_ = 0;  // whose line waits for its end; 0: nobody's
  std::string text_;
};

}  // namespace jobtail::capture::preload

#endif  // JOBTAIL_CAPTURE_PRELOAD_SHARED_OUTPUT_H_
