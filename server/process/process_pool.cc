// The threads on which all commands are followed.

#include "server/process/process_pool.h"

#include <pthread.h>

#include <utility>  // which Boost.Asio 1.74 lacks
//
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <thread>
#include <vector>

#include "base/scheduler.h"
#include "server/process/process.h"

namespace jobtail::process {
namespace {

// One would do for reading. The second goes on while the store keeps the first waiting.
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
  Process::Services services_{boost::asio::io_context(kThreads), nullptr};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      services_.context.get_executor()};
  std::vector<std::thread> threads_;
  Scheduler strays_{"run-strays"};  // looks through all processes, for a second at most
};

ProcessPool::ProcessPool(KillStraysFunction kill_strays)
    : threads_(std::make_unique<Threads>(std::move(kill_strays))) {}

ProcessPool::~ProcessPool() = default;

void ProcessPool::Start(Command command, std::shared_ptr<Execution> run) {
  Process::Start(threads_->services(), std::move(command), std::move(run));
}

}  // namespace jobtail::process
