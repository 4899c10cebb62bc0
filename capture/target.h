// The decision where a call of an output function goes: to a session, or on to the C library.
#ifndef JOBTAIL_CAPTURE_TARGET_H_
#define JOBTAIL_CAPTURE_TARGET_H_

#include <stdio.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>

#include "capture/current.h"
#include "capture/session.h"
#include "capture/sink.h"
#include "capture/thread_capture.h"

// For the interposed functions: whether a call is captured, and if not, whom it is for.

namespace jobtail::capture::internal {

// Which of the process's descriptors are copies of 1 and 2, made by dup or by opening /dev/stdout.
// Follows the calls of the C library; above kTracked, and in a thread's own descriptor table,
// copies are not known. Thread-safe and async-signal-safe.
class Copies {
 public:
  static constexpr int kTracked = 1 << 16;

  // The stream that `fd` is, or is a copy of; 0 if neither.
  static Stream Find(int fd) {
    if (fd == 1 || fd == 2) return Stream{static_cast<uint8_t>(fd)};
    if (fd < 0 || fd >= kTracked || current.real) return {};
    return table_[fd].load(std::memory_order_relaxed);
  }

  // `stream` 0: `fd` is something else, or closed.
  static void Set(int fd, Stream stream) {
    if (fd <= 2 || fd >= kTracked || current.real) return;
    if (table_[fd].load(std::memory_order_relaxed) != stream) Change(fd, stream);
  }

  // No copy is higher.
  static int Highest() { return highest_.load(std::memory_order_relaxed); }

  // From now on, only this process changes the table: a child of vfork has its memory.
  static void SetOwner();

 private:
  static void Change(int fd, Stream stream);

  static constinit inline std::atomic<Stream> table_[kTracked] = {};
  static constinit inline std::atomic<int> highest_ = 0;
  static constinit inline std::atomic<pid_t> owner_ = 0;
};

// The variables `stdout` and `stderr` while the library has put streams of its own there: see
// replaced_stdio.h. `instead` is null while it has not.
struct ReplacedFile {
  std::atomic<FILE*> instead = nullptr;
  std::atomic<FILE*> original = nullptr;
};
extern constinit ReplacedFile replaced_files[2];

// A call on a FILE, made by the calling thread.
//
//   FileTarget target(file);
//   if (target.IsCaptured() && target.Take(text)) return strlen(text);
//   return Real<...>()(text, target.file());
class FileTarget {
 public:
  explicit FileTarget(FILE* file) : file_(file) {
    if (current.thread) [[unlikely]] {
      FindCaptured();
    } else if (current.real || replaced_files[0].instead.load(std::memory_order_relaxed))
        [[unlikely]] {
      FindOriginal();
    }
  }

  bool IsCaptured() const { return stream_ != Stream{}; }
  Stream stream() const { return stream_; }

  // False if the text is to go to file().
  bool Take(std::span<const std::string_view> parts) const {
    return current.thread->Take(stream_, parts);
  }
  bool Take(std::string_view text) const {
    return current.thread->Take(stream_, text.data(), text.size());
  }

  // Whom the call is for if it is not captured.
  FILE* file() const { return file_; }

 private:
  // Nearly always the program prints to its own stdout or stderr.
  void FindCaptured() {
    const bool special = current.thread->session().HasRedirections() || current.real ||
                         replaced_files[0].original.load(std::memory_order_relaxed);
    if (special || (file_ != stdout && file_ != stderr)) [[unlikely]] {
      FindOther();
    } else {
      stream_ = file_ == stdout ? Stream::kStdout : Stream::kStderr;
    }
  }
  void FindOther();
  void FindOriginal();

  FILE* file_;
  Stream stream_{};
};

// The same for a descriptor.
class DescriptorTarget {
 public:
  explicit DescriptorTarget(int fd) : fd_(fd) {
    if (current.thread || current.real) [[unlikely]]
      Find();
  }

  bool IsCaptured() const { return stream_ != Stream{}; }
  Stream stream() const { return stream_; }
  bool Take(std::span<const std::string_view> parts) const {
    return current.thread->Take(stream_, parts);
  }
  bool Take(std::string_view text) const {
    return current.thread->Take(stream_, text.data(), text.size());
  }
  int fd() const { return fd_; }

 private:
  void Find();
  void FindReal();

  int fd_;
  Stream stream_{};
};

// The descriptor that the calling thread's job means by `fd`: another one if it has led 1 or 2 to a
// file, -1 if it has closed it.
int JobsDescriptor(int fd);

// The stream among 1 and 2 that `file` itself is, as far as the program knows: 0 if neither.
Stream StandardStream(FILE* file);

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_TARGET_H_
