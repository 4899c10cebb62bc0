#include "capture/flusher.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "capture/session.h"
#include "capture/sink.h"

namespace jobtail::capture::internal {
namespace {

constexpr auto kTick = kPartialDelay / 4;

// The process's signals are not for this thread.
void StartWithoutSignals(void (*body)(void*), void* self) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([=] {
    pthread_setname_np(pthread_self(), "capture-flush");
    body(self);
  }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace

Flusher& Flusher::Get() {
  static auto* const flusher = new Flusher;
  return *flusher;
}

void Flusher::Add(std::shared_ptr<Session> session) {
  std::lock_guard lock(mutex_);
  sessions_.push_back(std::move(session));
}

void Flusher::Remove(const Session* session) {
  std::lock_guard lock(mutex_);
  std::erase_if(sessions_, [=](const auto& s) { return s.get() == session; });
}

void Flusher::WakeSlow() {
  std::lock_guard lock(mutex_);
  if (awake_.exchange(true)) return;
  if (!std::exchange(started_, true)) {
    StartWithoutSignals([](void* self) { static_cast<Flusher*>(self)->Run(); }, this);
  }
  woken_.notify_one();
}

void Flusher::Run() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      woken_.wait(lock, [] { return awake_.load(); });
    }
    while (FlushAll()) std::this_thread::sleep_for(kTick);
    awake_.store(false);
    // Whoever left a line unfinished before the store saw awake_ still set and relied on this
    // thread.
    if (FlushAll()) Wake();
  }
}

// True if something unfinished remains.
bool Flusher::FlushAll() {
  std::vector<std::shared_ptr<Session>> sessions;
  {
    std::lock_guard lock(mutex_);
    sessions = sessions_;
  }
  const auto now = std::chrono::steady_clock::now();
  return std::ranges::count_if(sessions, [&](const auto& s) { return s->FlushOlderThan(now); }) > 0;
}

}  // namespace jobtail::capture::internal
