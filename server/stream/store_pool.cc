// A queue for each connection, and a queue of the connections whose turn comes next.
#include "server/stream/store_pool.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace jobtail {
namespace {

// The pool whose task this thread is running, and what the task has added to it so far.
thread_local const StorePool* working = nullptr;
thread_local std::vector<std::pair<std::string, std::function<void()>>> added;

}  // namespace

StorePool::StorePool(int threads) : most_at_once_(std::max(1, threads / 2)) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { Work(); });
    pthread_setname_np(threads_.back().native_handle(), "store-calls");
  }
}

StorePool::~StorePool() { Stop(); }

void StorePool::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    while (!idle_.empty()) WakeLocked();
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  Connections dropped;  // destroyed without the lock
  absl::MutexLock lock(&mutex_);
  turns_.clear();
  dropped.swap(connections_);
}

// What a task adds waits for it to end: this thread can go on with it, where waking another costs
// more than most tasks.
void StorePool::Run(const std::string& connection, std::function<void()> task) {
  if (working == this) {
    added.emplace_back(connection, std::move(task));
    added_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  absl::MutexLock lock(&mutex_);
  RunLocked(connection, std::move(task));
  if (!turns_.empty()) WakeLocked();
}

void StorePool::RunAddedLocked() {
  for (auto& [connection, task] : added) RunLocked(connection, std::move(task));
  added_.fetch_sub(static_cast<int64_t>(added.size()), std::memory_order_relaxed);
}

void StorePool::RunLocked(const std::string& connection, std::function<void()>&& task) {
  if (stopping_) return;  // with the task where it was: it is destroyed without the lock
  const auto at = connections_.try_emplace(connection).first;
  at->second.tasks.push_back(std::move(task));
  QueueLocked(at);
}

// Gives the connection a turn, if it has something to do and may.
void StorePool::QueueLocked(Connections::iterator connection) {
  Connection& state = connection->second;
  if (state.queued || state.tasks.empty() || state.running == most_at_once_) return;
  state.queued = true;
  turns_.push_back(connection);
}

// Wakes the thread that has been idle for the shortest time: the processor still knows it.
void StorePool::WakeLocked() {
  if (idle_.empty()) return;
  *idle_.back() = true;
  idle_.pop_back();
}

void StorePool::AwaitWorkLocked() {
  while (!stopping_ && turns_.empty()) {
    bool woken = false;
    idle_.push_back(&woken);
    mutex_.Await(absl::Condition(&woken));
  }
}

void StorePool::Work() {
  working = this;
  mutex_.Lock();
  while (true) {
    AwaitWorkLocked();
    if (stopping_) break;
    const Connections::iterator connection = turns_.front();
    turns_.pop_front();
    Connection& state = connection->second;
    state.queued = false;
    std::function<void()> task = std::move(state.tasks.front());
    state.tasks.pop_front();
    ++state.running;
    QueueLocked(connection);
    if (!turns_.empty()) WakeLocked();  // while this thread is at work
    mutex_.Unlock();
    added.clear();  // moved from
    task();
    task = nullptr;  // what it holds is let go without the lock
    mutex_.Lock();
    --state.running;
    QueueLocked(connection);
    RunAddedLocked();
    if (state.tasks.empty() && state.running == 0) connections_.erase(connection);
  }
  mutex_.Unlock();
  working = nullptr;  // what those that are dropped let go of may add more: that is dropped at once
  added.clear();
}

int64_t StorePool::waiting() const {
  absl::MutexLock lock(&mutex_);
  int64_t waiting = added_.load(std::memory_order_relaxed);
  for (const auto& [name, connection] : connections_) {
    waiting += static_cast<int64_t>(connection.tasks.size());
  }
  return waiting;
}

}  // namespace jobtail
