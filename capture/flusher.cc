// The thread that flushes text which waits for its newline.

#include "capture/flusher.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

#include "capture/barrier.h"
#include "capture/cancellation.h"
#include "capture/current.h"
#include "capture/session.h"
#include "capture/sink.h"

namespace jobtail::capture::internal {
namespace {

constexpr auto kTick = kPartialDelay / 4;

}  // namespace

void StartThread(void* (*body)(void*), void* argument) {
  Bypass bypass;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const int error = pthread_create(&thread, nullptr, body, argument);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) {
    throw std::system_error(error, std::generic_category(), "capture: no thread");
  }
  pthread_detach(thread);
}

Flusher::Flusher() { sem_init(&woken_, /*pshared=*/0, 0); }

Flusher& Flusher::Get() {
  static auto* const flusher = new Flusher;
  return *flusher;
}

void Flusher::Add(std::shared_ptr<Session> session) {
  std::lock_guard lock(mutex_);
  if (!started_) {
    const auto run = [](void* self) -> void* {
      pthread_setname_np(pthread_self(), "capture-flush");
      static_cast<Flusher*>(self)->Run();
      return nullptr;
    };
    StartThread(run, this);
    started_ = true;
  }
  sessions_->push_back(std::move(session));
}

void Flusher::Remove(const Session* session) {
  std::lock_guard lock(mutex_);
  std::erase_if(*sessions_, [=](const auto& s) { return s.get() == session; });
}

void Flusher::WakeSlow() {
  if (!awake_.exchange(true)) sem_post(&Get().woken_);
}

void Flusher::Run() {
  while (true) {
    while (sem_wait(&woken_) != 0) {
    }
    while (FlushAll()) std::this_thread::sleep_for(kTick);
    awake_.store(false);
    // Whoever left a line unfinished before the store saw awake_ still set and relied on this
    // thread.
    if (FlushAll()) Wake();
  }
}

std::vector<std::shared_ptr<Session>> Flusher::Copy() {
  std::lock_guard lock(mutex_);
  return *sessions_;
}

bool Flusher::CancelWhenOutside(pthread_t thread) {
  const NoCancellation no_cancellation;
  const std::vector<std::shared_ptr<Session>> all = Copy();
  return std::any_of(all.begin(), all.end(),
                     [=](const auto& s) { return s->CancelWhenOutside(thread); });
}

// True if something unfinished remains.
bool Flusher::FlushAll() {
  const std::vector<std::shared_ptr<Session>> all = Copy();
  AsymmetricBarrier::Heavy();
  const auto now = std::chrono::steady_clock::now();
  bool remains = false;
  for (const auto& session : all) remains |= session->FlushOlderThan(now);
  return remains;
}

void Flusher::BeforeFork() {
  mutex_.lock();
  childs_ = new Sessions;
}

void Flusher::AfterForkInParent() {
  delete std::exchange(childs_, nullptr);
  mutex_.unlock();
}

// The sessions are left alone, for they may have been in use by threads that are gone.
void Flusher::AfterForkInChild() {
  sessions_ = std::exchange(childs_, nullptr);
  started_ = false;
  awake_.store(false);
  sem_init(&woken_, /*pshared=*/0, 0);
  mutex_.unlock();
}

}  // namespace jobtail::capture::internal
