// The threads on which all commands are followed.
#include "server/process/process_pool.h"

#include <pthread.h>

#include <utility>  // which Boost.Asio 1.74 lacks
//
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "base/scheduler.h"
#include "base/thread_slice.h"
#include "server/process/process.h"

namespace jobtail::process {
namespace {

// None of them ever waits. One would do where little is printed.
constexpr int kThreads = 2;

}  // namespace

class ProcessPool::Threads {
 public:
  explicit Threads(KillStraysFunction kill_strays) {
    services_.kill_strays = [this, kill_strays = std::move(kill_strays)](
                                const std::string& variable, std::function<void()> done) {
      strays_.Soon([kill_strays, variable, done = std::move(done)] {
        kill_strays(variable);
        done();
      });
    };
    services_.beside = [this](std::function<void()> function) {
      // Where there is no thread, the other commands wait with this one.
      if (!beside_.TryCall(function)) {
        boost::asio::post(services_.context, std::move(function));
      }
    };
    for (int i = 0; i < kThreads; ++i) {
      threads_.emplace_back([this] {
        pthread_setname_np(pthread_self(), "run-processes");
        services_.context.run();
      });
    }
  }
  ~Threads() {
    work_.reset();
    services_.context.stop();
    for (std::thread& thread : threads_) thread.join();
  }

  Process::Services* services() { return &services_; }

 private:
  // Calls functions that may block, each on a thread of its own that ends with it. Thread-safe.
  class Beside {
   public:
    // Waits for the threads to end.
    ~Beside() {
      std::unique_lock lock(mutex_);
      ended_.wait(lock, [this] { return threads_ == 0; });
    }

    // False, with nothing called, if the system has no thread.
    bool TryCall(const std::function<void()>& function) {
      {
        const std::lock_guard lock(mutex_);
        ++threads_;
      }
      try {
        std::thread([this, function = std::function<void()>(function)]() mutable {
          pthread_setname_np(pthread_self(), "run-beside");
          TakeUsualSlices();  // as will what it starts
          function();
          function = nullptr;  // what it holds on to is let go while this still exists
          Ended();
        }).detach();
        return true;
      } catch (const std::system_error&) {
        Ended();
        return false;
      }
    }

   private:
    // The last that a thread does here: whoever waits goes on once the lock is free.
    void Ended() {
      const std::lock_guard lock(mutex_);
      if (--threads_ == 0) ended_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable ended_;
    int threads_ = 0;
  };

  Process::Services services_{boost::asio::io_context(kThreads), nullptr, nullptr, std::nullopt};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      services_.context.get_executor()};
  std::vector<std::thread> threads_;
  Scheduler strays_{"run-strays"};  // looks through all processes, for a second at most
  Beside beside_;                   // last: its threads use the rest
};

ProcessPool::ProcessPool(KillStraysFunction kill_strays)
    : threads_(std::make_unique<Threads>(std::move(kill_strays))) {}

ProcessPool::~ProcessPool() = default;

void ProcessPool::UseCgroups(std::optional<Cgroups> cgroups) {
  threads_->services()->cgroups = std::move(cgroups);
}

void ProcessPool::Start(Command command, std::shared_ptr<Execution> run) {
  Process::Start(threads_->services(), std::move(command), std::move(run));
}

}  // namespace jobtail::process
