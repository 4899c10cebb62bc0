// Whose turn it is in the pool.

#include "server/stream/store_pool.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"

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

TEST(StorePool, GoesRoundByClient) {
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

TEST(StorePool, BeginsAClientsTasksInTheirOrder) {
  Served served(100);
  StorePool pool(/*threads=*/1);
  for (int i = 0; i < 100; ++i) pool.Run("client", served.Task(std::to_string(1000 + i)));
  const std::vector<std::string> order = served.Await();
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(StorePool, LeavesThreadsToOthersWhereAClientsCallsHang) {
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
