// What one scope started: the threads and processes that it covers.

#include "capture/session.h"

#include <sys/types.h>

#include <algorithm>

#include "capture/cancellation.h"
#include "capture/child_output.h"
#include "capture/real.h"
#include "capture/target.h"
#include "capture/thread_capture.h"

namespace jobtail::capture::internal {

void Session::Add(ThreadCapture* thread) {
  std::lock_guard lock(mutex_);
  if (!sink_) return;
  thread->Open(sink_);
  threads_.push_back(thread);
}

void Session::Remove(ThreadCapture* thread) {
  std::lock_guard lock(mutex_);
  std::erase(threads_, thread);
}

void Session::Add(const std::shared_ptr<ChildOutput>& child) {
  std::lock_guard lock(mutex_);
  if (!sink_) return;
  child->Open(sink_);
  std::lock_guard children_lock(children_mutex_);
  children_.push_back(child);
  has_children_.store(true, std::memory_order_relaxed);
}

void Session::Remove(const ChildOutput* child) {
  std::lock_guard lock(children_mutex_);
  std::erase_if(children_, [=](const auto& c) { return c.get() == child; });
  has_children_.store(!children_.empty(), std::memory_order_relaxed);
}

std::vector<std::shared_ptr<ChildOutput>> Session::children() {
  std::lock_guard lock(children_mutex_);
  return children_;
}

void Session::TakeFromChildren() {
  for (const auto& child : children()) {
    if (child->IsReachable()) child->TakeAll();
  }
}

void Session::Close() {
  const NoCancellation no_cancellation;
  has_ended_.store(true, std::memory_order_release);
  std::lock_guard lock(mutex_);
  sink_ = nullptr;
  for (ThreadCapture* thread : threads_) thread->Close();
  threads_.clear();
  for (const auto& child : children()) child->Close();
  redirection_.Reset();
}

bool Session::CancelWhenOutside(pthread_t thread) {
  std::lock_guard lock(mutex_);
  return std::any_of(threads_.begin(), threads_.end(),
                     [=](ThreadCapture* t) { return t->IsOf(thread) && t->CancelWhenOutside(); });
}

bool Session::FlushOlderThan(std::chrono::steady_clock::time_point now) {
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return true;
  bool remains = false;
  for (ThreadCapture* thread : threads_) remains |= thread->FlushOlderThan(now);
  if (!HasChildren()) return remains;
  for (const auto& child : children()) remains |= child->FlushOlderThan(now);
  return remains;
}

void WriteToReal(Stream stream, std::string_view text) {
  const int fd = DescriptorTarget(static_cast<int>(stream)).fd();
  while (!text.empty()) {
    const ssize_t written =
        Real<"write", ssize_t(int, const void*, size_t)>()(fd, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace jobtail::capture::internal
