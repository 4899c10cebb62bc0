// The question whether memory can be read, answered as a system call would answer it.
#ifndef JOBTAIL_CAPTURE_READABLE_H_
#define JOBTAIL_CAPTURE_READABLE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace jobtail::capture::internal {

// A captured write() reads its caller's memory in place of the kernel, which returns EFAULT where a
// load would end the process. So the kernel is asked first, once for each page; a thread remembers
// the last pages that were readable, for nearly all output comes from the same few buffers, until
// the program takes memory away (interpose_memory.cc). Where that happens without a call that can
// be seen, within the C library or by mapping something else over it, the page is still taken for
// readable.
class Readable {
 public:
  // How many of the `size` bytes at `data` can be read, from the first on. Leaves errno alone.
  // Async-signal-safe.
  static size_t Bytes(const void* data, size_t size) {
    return AllKnown(data, size) ? size : Look(reinterpret_cast<uintptr_t>(data), size);
  }

  // Whether all of them can, as far as that is known without asking: they lie in one page that was
  // readable a while ago.
  static bool AllKnown(const void* data, size_t size) {
    const auto begin = reinterpret_cast<uintptr_t>(data);
    const uintptr_t page = begin / kPage;
    return size - 1 < kPage - begin % kPage && Remembers(page);
  }

  // Whether `text` can be read up to its end, and may be a path: that comes within PATH_MAX bytes.
  // Leaves errno alone. Async-signal-safe.
  static bool IsPath(const char* text);

  // From now on, whatever thread asks: memory may have become unreadable. Async-signal-safe.
  static void Forget() { changes_.fetch_add(1, std::memory_order_release); }

 private:
  static constexpr uintptr_t kPage = 4096;

  // Complements of page numbers, so that zeros, as they are at first, stand for no page.
  static bool Remembers(uintptr_t page) {
    return pages_[page % pages_.size()] == ~page &&
           seen_changes_ == changes_.load(std::memory_order_relaxed);
  }
  static size_t Look(uintptr_t begin, size_t size);

  static constinit inline std::atomic<uint64_t> changes_ = 0;
  // What it was when the first of `pages_` was looked at.
  static constinit inline thread_local uint64_t seen_changes_
      __attribute__((tls_model("initial-exec"))) = 0;
  static constinit inline thread_local std::array<uintptr_t, 16> pages_
      __attribute__((tls_model("initial-exec"))) = {};
};

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_READABLE_H_
