// A queue for each connection, one of an address's connections, and one of the addresses.
#include "server/stream/store_pool.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "base/connection_name.h"
#include "base/thread_slice.h"

namespace jobtail {
namespace {

// The pool whose task this thread is running, and what the task has added to it so far.
thread_local const StorePool* working = nullptr;
struct Added {
  std::string client;
  std::string connection;
  std::function<void()> task;
};
thread_local std::vector<Added> added;

}  // namespace

// Half of the threads for an address would be safer and slower: all who work at one machine, and
// all behind one proxy, are one address.
StorePool::StorePool(int threads)
    : most_at_once_(std::max(1, threads / 2)), most_of_client_(std::max(1, threads - 1)) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this] {
      TakeLongSlices();
      Work();
    });
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
  answers_.Stop();
  Clients dropped;  // destroyed without the lock
  absl::MutexLock lock(&mutex_);
  turns_.Clear();
  dropped.swap(clients_);
}

// What a task adds waits for it to end: this thread can go on with it, where waking another costs
// more than most tasks.
void StorePool::Run(const std::string& connection, std::function<void()> task) {
  const std::string client = ClientAddress(connection);
  if (working == this) {
    added.push_back({client, connection, std::move(task)});
    added_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  absl::MutexLock lock(&mutex_);
  RunLocked(client, connection, std::move(task));
  if (!turns_.empty()) WakeLocked();
}

void StorePool::RunAddedLocked() {
  for (Added& each : added) RunLocked(each.client, each.connection, std::move(each.task));
  added_.fetch_sub(static_cast<int64_t>(added.size()), std::memory_order_relaxed);
}

void StorePool::RunLocked(const std::string& address, const std::string& connection,
                          std::function<void()>&& task) {
  if (stopping_) return;  // with the task where it was: it is destroyed without the lock
  const auto client = clients_.try_emplace(address).first;
  const auto at = client->second.connections.try_emplace(connection).first;
  at->second.tasks.push_back(std::move(task));
  QueueLocked(client, at);
}

// Gives the connection a turn, if it has something to do and may, and its client likewise.
void StorePool::QueueLocked(Clients::iterator client, Connections::iterator connection) {
  Client& all = client->second;
  Connection& one = connection->second;
  if (!one.queued && !one.tasks.empty() && one.running < most_at_once_) {
    one.queued = true;
    all.turns.Add(connection, std::exchange(one.is_new, false));
  }
  if (!all.queued && !all.turns.empty() && all.running < most_of_client_) {
    all.queued = true;
    turns_.Add(client, std::exchange(all.is_new, false));
  }
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
    const Clients::iterator client = turns_.Next();
    Client& all = client->second;
    all.queued = false;
    const Connections::iterator connection = all.turns.Next();
    Connection& one = connection->second;
    one.queued = false;
    std::function<void()> task = std::move(one.tasks.front());
    one.tasks.pop_front();
    ++one.running;
    ++all.running;
    QueueLocked(client, connection);
    if (!turns_.empty()) WakeLocked();  // while this thread is at work
    mutex_.Unlock();
    added.clear();  // moved from
    task();
    task = nullptr;  // what it holds is let go without the lock
    mutex_.Lock();
    --one.running;
    --all.running;
    QueueLocked(client, connection);
    RunAddedLocked();
    if (one.tasks.empty() && one.running == 0) all.connections.erase(connection);
    if (all.connections.empty()) clients_.erase(client);
  }
  mutex_.Unlock();
  working = nullptr;  // what those that are dropped let go of may add more: that is dropped at once
  added.clear();
}

int64_t StorePool::waiting() const {
  absl::MutexLock lock(&mutex_);
  int64_t waiting = added_.load(std::memory_order_relaxed);
  for (const auto& [address, client] : clients_) {
    for (const auto& [name, connection] : client.connections) {
      waiting += static_cast<int64_t>(connection.tasks.size());
    }
  }
  return waiting;
}

}  // namespace jobtail
