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

#include "server/process/process.h"

namespace jobtail::process {
namespace {

// One would do for reading. The second goes on while the store keeps the first waiting.
constexpr int kThreads = 2;

}  // namespace

class ProcessPool::Threads {
 public:
  Threads() {
    for (int i = 0; i < kThreads; ++i) {
      threads_.emplace_back([this] {
        pthread_setname_np(pthread_self(), "run-processes");
        context_.run();
      });
    }
  }
  ~Threads() {
    work_.reset();
    context_.stop();
    for (std::thread& thread : threads_) thread.join();
  }

  boost::asio::io_context& context() { return context_; }

 private:
  boost::asio::io_context context_{kThreads};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      context_.get_executor()};
  std::vector<std::thread> threads_;
};

ProcessPool::ProcessPool() : threads_(std::make_unique<Threads>()) {}

ProcessPool::~ProcessPool() = default;

void ProcessPool::Start(Command command, std::shared_ptr<Execution> run) {
  Process::Start(threads_->context(), std::move(command), std::move(run));
}

}  // namespace jobtail::process
