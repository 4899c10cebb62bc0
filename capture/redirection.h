// A captured job's own redirections of stdout and stderr, kept from the rest of the process.
#ifndef JOBTAIL_CAPTURE_REDIRECTION_H_
#define JOBTAIL_CAPTURE_REDIRECTION_H_

#include <stdio.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

#include "capture/sink.h"

namespace jobtail::capture::internal {

// Where stdout and stderr of a captured job lead. The job may redirect them as any program may,
// with freopen, dup2 or close; this must not take the real ones away from the other threads of the
// process, so it is kept here, for the threads of the session.
//
// Thread-safe.
class Redirection {
 public:
  // A destination: the sink, under the name of one of the streams, or a file of the job's own.
  struct Target {
    Stream captured{};     // 0: goes to the file
    FILE* file = nullptr;  // to print to; one whose calls all fail if the stream was closed
    int fd = -1;           // its descriptor; -1 if it was closed
  };

  Redirection() = default;
  // When nobody can print any more.
  ~Redirection();
  Redirection(const Redirection&) = delete;
  Redirection& operator=(const Redirection&) = delete;

  // Whether anything is not as it was.
  bool Any() const { return any_.load(std::memory_order_relaxed); }

  Target Find(Stream stream) const;

  // Leads `stream` to the sink, as `captured`.
  void ToSink(Stream stream, Stream captured);
  // Leads it to what `fd` is, which stays the caller's. False, with errno, if that cannot be had.
  bool ToFile(Stream stream, int fd);
  // Closes it.
  void Close(Stream stream);

  // Closes the files; what is printed goes to the sink again.
  void Reset();

 private:
  enum class Leads : uint8_t { kNowhere = 0, kToStdout = 1, kToStderr = 2, kToFile = 3 };
  struct Slot {
    std::atomic<Leads> leads;
    FILE* file = nullptr;  // set before the first kToFile, and then the same for good
  };
  Slot& slot(Stream stream) { return slots_[stream == Stream::kStderr]; }
  void Set(Slot& slot, Leads leads);
  static void CloseFile(Slot& slot);
  static void PointFile(Slot& slot, int fd);

  std::atomic<bool> any_ = false;
  std::mutex mutex_;
  std::array<Slot, 2> slots_{Slot{Leads::kToStdout}, Slot{Leads::kToStderr}};
};

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_REDIRECTION_H_
