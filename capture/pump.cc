// The thread that reads what child processes print.

#include "capture/pump.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <iterator>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "capture/current.h"
#include "capture/flusher.h"
#include "capture/real.h"
#include "capture/session.h"

namespace jobtail::capture::internal {
namespace {

constexpr std::chrono::milliseconds kRetry{25};

// Events come once and are asked for again, so that a pipe that nobody takes from keeps quiet.
bool Ask(int epoll, int fd, int operation) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLONESHOT;
  event.data.fd = fd;
  return epoll_ctl(epoll, operation, fd, &event) == 0;
}

// The process's. Never destroyed.
std::shared_ptr<Pump>& Global() {
  static auto* const pump = new std::shared_ptr<Pump>(std::make_shared<Pump>());
  return *pump;
}

thread_local std::shared_ptr<Pump> own_pump;
// Of the fork that this thread is in.
thread_local std::shared_ptr<Pump> childs_pump;

Stream Other(Stream stream) {
  return stream == Stream::kStdout ? Stream::kStderr : Stream::kStdout;
}

}  // namespace

std::shared_ptr<Pump> Pump::OfThisThread() { return own_pump ? own_pump : Global(); }
std::shared_ptr<Pump> Pump::OwnOfThisThread() { return own_pump; }

void Pump::SetOfThisThread(std::shared_ptr<Pump> pump) {
  own_pump = std::move(pump);
  current.real = own_pump ? &own_pump->real() : nullptr;
}

void Pump::BeforeFork() {
  Global();  // made now, if nobody has needed it yet
  childs_pump = std::make_shared<Pump>();
}
void Pump::AfterForkInParent() { childs_pump.reset(); }

// The old ones are left alone, for they may have been in use by threads that are gone: the pointers
// are written over, and what they own is never let go.
void Pump::AfterForkInChild() {
  std::construct_at(&own_pump);
  current.real = nullptr;
  std::construct_at(&Global(), std::move(childs_pump));
}

std::vector<int> Pump::OwnDescriptors() {
  std::lock_guard lock(mutex_);
  std::vector<int> descriptors(std::begin(real_.fds), std::end(real_.fds));
  if (epoll_ >= 0) descriptors.push_back(epoll_);
  for (const auto& [fd, pipe] : pipes_) descriptors.push_back(fd);
  return descriptors;
}

Pump::Pump(OwnTable) {
  for (const size_t index : {0, 1}) {
    const int fd =
        Real<"fcntl64", int(int, int, ...)>()(static_cast<int>(index) + 1, F_DUPFD_CLOEXEC, 3);
    FILE* const file = fd < 0 ? nullptr : fdopen(fd, "w");
    if (!file) {
      const int error = errno;
      if (real_.files[0]) Real<"fclose", int(FILE*)>()(real_.files[0]);
      throw std::system_error(error, std::generic_category(), "capture: no copy of stdout");
    }
    Real<"setvbuf", int(FILE*, char*, int, size_t)>()(file, nullptr, _IONBF, 0);
    real_.fds[index] = fd;
    real_.files[index] = file;
  }
}

// Of a table of its own, on the last thread that has it.
Pump::~Pump() {
  if (epoll_ >= 0) Real<"close", int(int)>()(epoll_);
  for (FILE* file : real_.files) {
    if (file) Real<"fclose", int(FILE*)>()(file);
  }
}

void Pump::CopyRest() {
  const std::shared_ptr<Pump> pump = Global();
  if (current.real) return;
  std::lock_guard lock(pump->mutex_);
  for (const auto& [fd, pipe] : pump->pipes_) pipe.child->CopyRest();
}

void Pump::Add(const std::shared_ptr<ChildOutput>& child) {
  std::lock_guard lock(mutex_);
  if (epoll_ < 0) epoll_ = epoll_create1(EPOLL_CLOEXEC);
  try {
    for (const Stream stream : {Stream::kStdout, Stream::kStderr}) Watch(child, stream);
    if (!running_) Start();
    running_ = true;
  } catch (...) {
    for (const Stream stream : {Stream::kStdout, Stream::kStderr}) {
      epoll_ctl(epoll_, EPOLL_CTL_DEL, child->read_end(stream), nullptr);
      pipes_.erase(child->read_end(stream));
    }
    throw;
  }
}

void Pump::Watch(const std::shared_ptr<ChildOutput>& child, Stream stream) {
  const int fd = child->read_end(stream);
  if (!Ask(epoll_, fd, EPOLL_CTL_ADD)) {
    throw std::system_error(errno, std::generic_category(), "capture: cannot watch a child");
  }
  pipes_[fd] = {child, stream};
}

void Pump::Start() {
  auto self = std::make_unique<std::shared_ptr<Pump>>(shared_from_this());
  const auto run = [](void* argument) -> void* {
    pthread_setname_np(pthread_self(), "capture-pump");
    const std::unique_ptr<std::shared_ptr<Pump>> pump(
        static_cast<std::shared_ptr<Pump>*>(argument));
    if (*pump != Global()) SetOfThisThread(*pump);
    (*pump)->Run();
    return nullptr;
  };
  StartThread(run, self.get());
  static_cast<void>(self.release());  // the thread's now
}

// The number of descriptors that are ready, which are put into `ready`.
int Pump::Wait(std::optional<Clock::time_point> until, std::span<int> ready) {
  int timeout = -1;
  if (until) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*until - Clock::now());
    timeout = std::max(0, static_cast<int>(left.count()));
  }
  std::array<epoll_event, 64> events;
  const int count = epoll_wait(epoll_, events.data(), static_cast<int>(ready.size()), timeout);
  for (int i = 0; i < count; ++i)
    ready[static_cast<size_t>(i)] = events[static_cast<size_t>(i)].data.fd;
  return count;
}

void Pump::Run() {
  std::optional<Clock::time_point> retry;  // where a pipe is blocked
  std::array<int, 64> ready;
  while (true) {
    {
      std::lock_guard lock(mutex_);
      if (pipes_.empty()) {
        running_ = false;
        return;
      }
    }
    const int count = Wait(retry, ready);
    bool blocked = false;
    for (int i = 0; i < count; ++i) blocked |= TakeFrom(ready[static_cast<size_t>(i)]);
    // Whatever others print meanwhile.
    const bool is_due = retry && Clock::now() >= *retry;
    if (is_due) blocked = TakeFromBlocked();
    if (is_due || !retry) retry = blocked ? std::optional(Clock::now() + kRetry) : std::nullopt;
  }
}

bool Pump::TakeFromBlocked() {
  std::vector<int> blocked;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [fd, pipe] : pipes_) {
      if (pipe.blocked) blocked.push_back(fd);
    }
  }
  bool still = false;
  for (const int fd : blocked) still |= TakeFrom(fd);
  return still;
}

// True if it is blocked.
bool Pump::TakeFrom(int fd) {
  std::unique_lock lock(mutex_);
  const auto found = pipes_.find(fd);
  if (found == pipes_.end()) return false;
  const std::shared_ptr<ChildOutput> child = found->second.child;
  const Stream stream = found->second.stream;
  lock.unlock();
  const ChildOutput::State state = child->TryTake(stream);
  lock.lock();
  found->second.blocked = state == ChildOutput::State::kBlocked;
  if (state == ChildOutput::State::kWaiting) Ask(epoll_, fd, EPOLL_CTL_MOD);
  if (state != ChildOutput::State::kEnded) return found->second.blocked;
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  pipes_.erase(found);
  // Its other pipe may live on.
  if (!pipes_.contains(child->read_end(Other(stream)))) {
    child->session().Remove(child.get());
    child->CloseReadEnds();
  }
  return false;
}

}  // namespace jobtail::capture::internal
