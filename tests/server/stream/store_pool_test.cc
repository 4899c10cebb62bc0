// Whose turn it is in the pool.

#include "server/stream/store_pool.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "tests/support/thread_slice_probe.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;

// Keeps threads of a pool busy until it is opened.
class Plug {
 public:
  explicit Plug(int threads) : begun_(threads) {}
  std::function<void()> Task() {
    return [this] {
      begun_.DecrementCount();
      open_.WaitForNotification();
    };
  }
  void AwaitBegun() { begun_.Wait(); }
  void Open() { open_.Notify(); }

 private:
  absl::BlockingCounter begun_;
  absl::Notification open_;
};

// Notes who was served, in order.
class Served {
 public:
  explicit Served(int expected) : left_(expected) {}
  std::function<void()> Task(const std::string& who) {
    return [this, who] {
      {
        absl::MutexLock lock(&mutex_);
        order_.push_back(who);
      }
      left_.DecrementCount();
    };
  }
  std::vector<std::string> Await() {
    left_.Wait();
    absl::MutexLock lock(&mutex_);
    return order_;
  }

 private:
  absl::BlockingCounter left_;
  absl::Mutex mutex_;
  std::vector<std::string> order_ ABSL_GUARDED_BY(mutex_);
};

TEST(StorePool, AnswersInOrderWhileAllThreadsHang) {
  Plug plug(2);
  Served served(2);
  StorePool pool(/*threads=*/2);
  pool.Run("one", plug.Task());
  pool.Run("two", plug.Task());
  plug.AwaitBegun();
  pool.Answer(served.Task("first"));
  pool.Answer(served.Task("second"));
  EXPECT_THAT(served.Await(), ElementsAre("first", "second"));
  plug.Open();
}

TEST(StorePool, DropsWhatIsNotAnsweredWhenItStops) {
  const auto token = std::make_shared<int>(0);
  StorePool pool(/*threads=*/1);
  absl::Notification begun;
  pool.Answer([&begun, token] { begun.Notify(); });
  begun.WaitForNotification();
  pool.Stop();
  pool.Answer([token] { ADD_FAILURE() << "nobody waits for it"; });
  EXPECT_EQ(token.use_count(), 1) << "and nothing is held any more";
}

// So that who answers, and is woken, need not wait for the end of a slice.
TEST(StorePool, HasLongSlicesOfTheProcessorForTasksAlone) {
  StorePool pool;
  uint64_t in_task = 0;
  uint64_t in_answer = 0;
  absl::Notification done;
  pool.Run("client", [&] {
    in_task = testing::SchedulingOf().slice_nanos;
    pool.Answer([&] {
      in_answer = testing::SchedulingOf().slice_nanos;
      done.Notify();
    });
  });
  done.WaitForNotification();
  const uint64_t usual = testing::SchedulingOf().slice_nanos;
  EXPECT_EQ(in_task, usual + usual / 2);
  EXPECT_EQ(in_answer, usual);
}

TEST(StorePool, GoesRoundByConnection) {
  Plug plug(1);
  Served served(23);
  StorePool pool(/*threads=*/1);
  pool.Run("plug", plug.Task());
  plug.AwaitBegun();
  for (int i = 0; i < 20; ++i) pool.Run("greedy", served.Task("greedy"));
  for (int i = 0; i < 2; ++i) pool.Run("modest", served.Task("modest"));
  pool.Run("late", served.Task("late"));
  EXPECT_EQ(pool.waiting(), 23);
  plug.Open();
  std::vector<std::string> order = served.Await();
  order.resize(5);
  EXPECT_THAT(order, ElementsAre("greedy", "modest", "late", "greedy", "modest"));
}

// Whatever number of connections a client has.
TEST(StorePool, GoesRoundByClientFirst) {
  Plug plug(1);
  Served served(42);
  StorePool pool(/*threads=*/1);
  pool.Run("plug", plug.Task());
  plug.AwaitBegun();
  for (int i = 0; i < 20; ++i) {
    pool.Run("ipv4:10.0.0.1:" + std::to_string(1 + i % 10), served.Task("greedy"));
    pool.Run("ipv6:%5B2001:db8::" + std::to_string(1 + i) + "%5D:1", served.Task("wide"));
  }
  for (int i = 0; i < 2; ++i) pool.Run("ipv4:10.0.0.2:1", served.Task("modest"));
  plug.Open();
  std::vector<std::string> order = served.Await();
  order.resize(6);
  EXPECT_THAT(order, ElementsAre("greedy", "wide", "modest", "greedy", "wide", "modest"));
}

// Each of an address's searches adds its next piece when it has done one.
class Searches {
 public:
  explicit Searches(StorePool* pool) : pool_(pool) {}
  void Start(const std::string& connection) {
    pool_->Run(connection, [this, connection] {
      ++pieces_;
      if (!ended_) Start(connection);
    });
  }
  void End() { ended_ = true; }
  int64_t pieces() const { return pieces_; }

 private:
  StorePool* const pool_;
  std::atomic<int64_t> pieces_ = 0;
  std::atomic<bool> ended_ = false;
};

TEST(StorePool, AnswersWhoComesAnewBeforeSearchesOfTheSameAddressGoOn) {
  StorePool pool(/*threads=*/1);
  Searches searches(&pool);
  for (int i = 0; i < 20; ++i) searches.Start("ipv4:10.0.0.1:" + std::to_string(1 + i));
  const int64_t started = searches.pieces();
  while (searches.pieces() < started + 100) std::this_thread::yield();  // none is new any more
  for (int i = 0; i < 10; ++i) {
    absl::Notification begun;
    int64_t before = 0;
    int64_t after = 0;
    // The searches stand still while it is added.
    absl::Notification added;
    pool.Run("ipv4:10.0.0.2:1", [&] {
      before = searches.pieces();
      begun.Notify();
      added.WaitForNotification();
    });
    begun.WaitForNotification();
    absl::Notification answered;
    pool.Run("ipv4:10.0.0.1:100", [&] {
      after = searches.pieces();
      answered.Notify();
    });
    added.Notify();
    answered.WaitForNotification();
    EXPECT_LE(after - before, 2);
  }
  searches.End();
}

// Not even by ever new ones.
TEST(StorePool, GoesOnWithASearchBesideThoseWhoComeAnew) {
  Plug plug(1);
  Served served(21);
  StorePool pool(/*threads=*/1);
  pool.Run("ipv4:10.0.0.1:1", plug.Task());
  pool.Run("ipv4:10.0.0.1:1", served.Task("search"));
  plug.AwaitBegun();
  for (int i = 0; i < 20; ++i) {
    pool.Run("ipv4:10.0.0.1:" + std::to_string(2 + i), served.Task("new"));
  }
  plug.Open();
  std::vector<std::string> order = served.Await();
  order.resize(6);
  EXPECT_THAT(order, ::testing::Contains("search"));
}

TEST(StorePool, BeginsAConnectionsTasksInTheirOrder) {
  Served served(100);
  StorePool pool(/*threads=*/1);
  for (int i = 0; i < 100; ++i) pool.Run("client", served.Task(std::to_string(1000 + i)));
  const std::vector<std::string> order = served.Await();
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(StorePool, LeavesThreadsToOthersWhereAConnectionsCallsHang) {
  Plug plug(2);
  Served served(1);
  StorePool pool(/*threads=*/4);
  for (int i = 0; i < 10; ++i) {
    pool.Run("stuck", i < 2 ? plug.Task() : std::function<void()>([] {}));
  }
  plug.AwaitBegun();
  EXPECT_EQ(pool.waiting(), 8) << "though two threads have nothing to do";
  pool.Run("other", served.Task("other"));
  EXPECT_THAT(served.Await(), ElementsAre("other"));
  plug.Open();
}

TEST(StorePool, LeavesAThreadToOthersWhereAnAddressesCallsHang) {
  Plug plug(3);
  std::atomic<int> begun = 0;
  Served served(2);
  StorePool pool(/*threads=*/4);
  for (int i = 0; i < 10; ++i) {
    pool.Run("ipv4:10.0.0.1:" + std::to_string(1 + i % 5), [&, hang = plug.Task()] {
      if (++begun <= 3) hang();
    });
  }
  plug.AwaitBegun();
  EXPECT_EQ(pool.waiting(), 7) << "though a thread has nothing to do";
  pool.Run("ipv4:10.0.0.2:1", served.Task("other"));
  pool.Run("ipv4:10.0.0.3:1", served.Task("third"));
  EXPECT_THAT(served.Await(), ElementsAre("other", "third"));
  EXPECT_EQ(pool.waiting(), 7);
  EXPECT_EQ(begun, 3);
  plug.Open();
}

TEST(StorePool, DropsWhatHasNotBegunWhenItStops) {
  const auto token = std::make_shared<int>();
  Plug plug(1);
  StorePool pool(/*threads=*/1);
  pool.Run("client", [token, task = plug.Task()] { task(); });
  plug.AwaitBegun();
  pool.Run("client", [token] {});
  std::thread opening([&] { plug.Open(); });
  pool.Stop();
  opening.join();
  pool.Run("client", [token] {});
  EXPECT_EQ(token.use_count(), 1) << "nothing is held any more";
}

TEST(StorePool, BeginsWhatATaskAddsAfterThatTask) {
  Served served(3);
  StorePool pool(/*threads=*/1);
  int64_t waiting = 0;
  pool.Run("one", [&] {
    pool.Run("one", served.Task("its next"));
    pool.Run("other", served.Task("another's"));
    waiting = pool.waiting();
    served.Task("itself")();
  });
  EXPECT_THAT(served.Await(), ElementsAre("itself", "another's", "its next"))
      << "who comes anew goes first";
  EXPECT_EQ(waiting, 2);
  pool.Stop();
  EXPECT_EQ(pool.waiting(), 0);
}

// As a stream that looks through a log, or one whose client takes everything at once.
TEST(StorePool, WhoAlwaysAddsAnotherTaskKeepsNobodyWaiting) {
  Plug plug(1);
  std::atomic<bool> enough = false;
  std::atomic<int> again = 0;
  std::vector<int> before;  // how often the greedy one was served before each of the other's
  absl::Notification done;
  StorePool pool(/*threads=*/1);
  const std::function<void()> greedy = [&] {
    ++again;
    if (!enough) pool.Run("greedy", greedy);
  };
  pool.Run("plug", plug.Task());
  plug.AwaitBegun();
  pool.Run("greedy", greedy);
  for (int i = 0; i < 10; ++i) pool.Run("modest", [&] { before.push_back(again); });
  pool.Run("modest", [&] { done.Notify(); });
  plug.Open();
  done.WaitForNotification();
  enough = true;
  pool.Stop();
  EXPECT_THAT(before, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
}

// Asks the pool for something when it is let go of, as the last holder of a stream may.
class AsksWhenDropped {
 public:
  AsksWhenDropped(StorePool* pool, std::atomic<int>* dropped) : pool_(*pool), dropped_(*dropped) {}
  ~AsksWhenDropped() {
    EXPECT_GE(pool_.waiting(), 0) << "which takes the lock";
    pool_.Run("late", [] { ADD_FAILURE() << "the pool has stopped"; });
    ++dropped_;
  }

 private:
  StorePool& pool_;
  std::atomic<int>& dropped_;
};

// Whether tasks are dropped as they come, for a pool whose threads are all busy.
bool IsStopping(StorePool& pool) {
  const auto token = std::make_shared<int>();
  pool.Run("probe", [token] {});
  return token.use_count() == 1;
}

TEST(StorePool, DropsWithoutItsLockWhatATaskHasAddedWhenItStops) {
  std::atomic<int> dropped = 0;
  Plug plug(1);
  StorePool pool(/*threads=*/1);
  pool.Run("connection", [&, task = plug.Task()] {
    task();
    for (int i = 0; i < 2; ++i) {
      pool.Run("connection", [held = std::make_shared<AsksWhenDropped>(&pool, &dropped)] {
        ADD_FAILURE() << "the pool has stopped";
      });
    }
  });
  plug.AwaitBegun();
  pool.Run("other", [held = std::make_shared<AsksWhenDropped>(&pool, &dropped)] {});
  std::thread opening([&] {
    while (!IsStopping(pool)) std::this_thread::yield();
    plug.Open();
  });
  pool.Stop();
  opening.join();
  EXPECT_EQ(dropped, 3);
  EXPECT_EQ(pool.waiting(), 0);
}

TEST(StorePool, LosesNothingUnderLoad) {
  constexpr int kTasks = 2000;
  std::atomic<int> sum = 0;
  absl::BlockingCounter left(4 * kTasks);
  StorePool pool;
  std::vector<std::thread> clients;
  for (int client = 0; client < 4; ++client) {
    clients.emplace_back([&, client] {
      for (int i = 0; i < kTasks; ++i) {
        pool.Run("client " + std::to_string(client * 2 + i % 2), [&] {
          ++sum;
          left.DecrementCount();
        });
      }
    });
  }
  for (std::thread& client : clients) client.join();
  left.Wait();
  EXPECT_EQ(sum, 4 * kTasks);
  EXPECT_EQ(pool.waiting(), 0);
}

}  // namespace
}  // namespace jobtail
