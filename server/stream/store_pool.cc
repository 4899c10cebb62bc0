// A queue for each client, and a queue of the clients whose turn comes next.
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
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  Clients dropped;  // destroyed without the lock
  absl::MutexLock lock(&mutex_);
  turns_.clear();
  dropped.swap(clients_);
}

// What a task adds waits for it to end: this thread can go on with it, where waking another costs
// more than most tasks.
void StorePool::Run(const std::string& client, std::function<void()> task) {
  if (working == this) {
    added.emplace_back(client, std::move(task));
    return;
  }
  absl::MutexLock lock(&mutex_);
  RunLocked(client, std::move(task));
}

void StorePool::RunLocked(const std::string& client, std::function<void()>&& task) {
  if (stopping_) return;  // with the task where it was: it is destroyed without the lock
  const auto at = clients_.try_emplace(client).first;
  at->second.tasks.push_back(std::move(task));
  QueueLocked(at);
}

// Gives the client a turn, if it has something to do and may.
void StorePool::QueueLocked(Clients::iterator client) {
  Client& state = client->second;
  if (state.queued || state.tasks.empty() || state.running == most_at_once_) return;
  state.queued = true;
  turns_.push_back(client);
}

void StorePool::Work() {
  working = this;
  mutex_.Lock();
  while (true) {
    mutex_.Await(absl::Condition(this, &StorePool::HasWorkLocked));
    if (stopping_) break;
    const Clients::iterator client = turns_.front();
    turns_.pop_front();
    Client& state = client->second;
    state.queued = false;
    std::function<void()> task = std::move(state.tasks.front());
    state.tasks.pop_front();
    ++state.running;
    QueueLocked(client);
    mutex_.Unlock();
    added.clear();
    task();
    task = nullptr;  // what it holds is let go without the lock
    mutex_.Lock();
    --state.running;
    QueueLocked(client);
    for (auto& [name, function] : added) RunLocked(name, std::move(function));
    if (state.tasks.empty() && state.running == 0) clients_.erase(client);
  }
  mutex_.Unlock();
  added.clear();
}

int64_t StorePool::waiting() const {
  absl::MutexLock lock(&mutex_);
  int64_t waiting = 0;
  for (const auto& [name, client] : clients_) waiting += static_cast<int64_t>(client.tasks.size());
  return waiting;
}

}  // namespace jobtail
