// The threads on which both doors do what may have to wait for the store.
#ifndef JOBTAIL_SERVER_STREAM_STORE_POOL_H_
#define JOBTAIL_SERVER_STREAM_STORE_POOL_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/scheduler.h"

namespace jobtail {

// Runs tasks on a few threads and shares these fairly between clients: whose turn it is goes round
// by client address (see ClientAddress), and where that has several connections, round by
// connection; not by task. Who had nothing to do until now begins before those that go on, four
// times in a row at most while these wait: a call beside twenty searches of the same address is
// answered after a task or two, not twenty. One connection never has more than half of the threads,
// and one address never has all of them. So 20 searches of one connection delay another's call by a
// task or two, a client with 20 connections delays others no more than one with one does, one
// connection whose calls hang in the store leaves threads for the address's others, and one address
// whose calls hang leaves a thread for others. Tasks of one connection begin in the order in which
// they came.
//
// The server owns it. It outlives whoever gives it tasks, and what the tasks use outlives it.
// Thread-safe, but for Stop and the destructor, which are the owner's.
//
// Hazard: tasks that hang in the store keep their threads, and there are no others. What has to
// answer whatever happens to the store (probes, heartbeats) has no business here.
class StorePool {
 public:
  static constexpr int kThreads = 5;  // four of which may be one address's

  explicit StorePool(int threads = kThreads);
  // As Stop.
  ~StorePool();

  StorePool(const StorePool&) = delete;
  StorePool& operator=(const StorePool&) = delete;

  // Runs `task` when it is the turn of `connection`, as its door names it. A task is to be short, a
  // message's worth of work or a few milliseconds: who has more comes again. One that a task adds
  // begins after that task: it must not wait for it.
  void Run(const std::string& connection, std::function<void()> task);

  // Has `answer` called soon, one after the other in the order in which they come, by a thread that
  // does nothing else. For what a task has found and a door is to send: short, and waiting for
  // nobody. The threads of tasks are behind others for having worked; while one of them waits for
  // its turn at a lock of the door's transport, so would everybody who is served by that
  // (docs/decisions/0066).
  void Answer(std::function<void()> answer) { answers_.Soon(std::move(answer)); }

  // Waits for the tasks that have begun, and drops the others and what has not been answered, as
  // well as what comes later. For an owner whose tasks have nobody left who waits for them.
  // Idempotent.
  void Stop();

  // How many tasks have not begun, those included that wait for the task that has added them.
  int64_t waiting() const;

 private:
  // Whose turn is next.
  template <typename Who>
  class Turns {
   public:
    bool empty() const { return new_.empty() && going_on_.empty(); }
    // In its place among those that have come anew, or among those that go on.
    void Add(Who who, bool is_new) { (is_new ? new_ : going_on_).push_back(who); }
    Who Next() {
      const bool is_new = !new_.empty() && (going_on_.empty() || new_in_a_row_ < kMostInARow);
      new_in_a_row_ = is_new ? new_in_a_row_ + 1 : 0;
      std::deque<Who>& from = is_new ? new_ : going_on_;
      const Who who = from.front();
      from.pop_front();
      return who;
    }
    void Clear() {
      new_.clear();
      going_on_.clear();
    }

   private:
    static constexpr int kMostInARow = 4;
    std::deque<Who> new_;
    std::deque<Who> going_on_;
    int new_in_a_row_ = 0;
  };

  struct Connection {
    std::deque<std::function<void()>> tasks;
    int running = 0;
    bool queued = false;  // in its client's turns
    bool is_new = true;   // has not had one
  };
  using Connections = std::map<std::string, Connection>;
  struct Client {
    int running = 0;
    Connections connections;             // that have tasks
    Turns<Connections::iterator> turns;  // who of them may begin one
    bool queued = false;                 // in turns_
    bool is_new = true;                  // has not had a turn
  };
  using Clients = std::map<std::string, Client>;

  void Work();
  void RunAddedLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RunLocked(const std::string& address, const std::string& connection,
                 std::function<void()>&& task) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void QueueLocked(Clients::iterator client, Connections::iterator connection)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WakeLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AwaitWorkLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const int most_at_once_;    // tasks of one connection
  const int most_of_client_;  // of one address

  std::atomic<int64_t> added_{0};  // by tasks that have not ended

  mutable absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  Clients clients_ ABSL_GUARDED_BY(mutex_);  // that have tasks
  Turns<Clients::iterator> turns_ ABSL_GUARDED_BY(mutex_);
  // What each thread that waits for work waits for, the last to have begun last.
  std::vector<bool*> idle_ ABSL_GUARDED_BY(mutex_);
  Scheduler answers_{"store-answers"};
  std::vector<std::thread> threads_;  // last: they use the rest
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STREAM_STORE_POOL_H_
