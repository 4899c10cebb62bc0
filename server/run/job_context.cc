// What a job can ask and tell.
#include "server/run/job_context.h"

#include <condition_variable>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <utility>
#include <variant>

#include "base/clock.h"
#include "server/run/current_run.h"

namespace jobtail {

class JobContext::State {
 public:
  const std::string run_id;
  const ParameterValues parameters;
  const std::stop_token stop;
  const ReportProgress report;
  const PrintText print;
  Clock* const clock;

  // Shared by those who report and print; the end takes it alone.
  mutable std::shared_mutex mutex{};
  bool closed = false;
};

JobContext::JobContext(std::string run_id, ParameterValues parameters, std::stop_token stop,
                       ReportProgress report, Clock* clock, PrintText print)
    // NOLINTNEXTLINE(modernize-make-unique): an aggregate that cannot be moved
    : state_(new State{.run_id = std::move(run_id),
                       .parameters = std::move(parameters),
                       .stop = std::move(stop),
                       .report = std::move(report),
                       .print = std::move(print),
                       .clock = clock ? clock : Clock::System()}) {}

JobContext::~JobContext() = default;

std::shared_ptr<JobContext> JobContext::Current() { return CurrentRun::Context(); }

const std::string& JobContext::run_id() const { return state_->run_id; }

const std::stop_token& JobContext::stop_token() const { return state_->stop; }

bool JobContext::SleepFor(TimeSpan duration) const {
  Clock* const clock = state_->clock;
  const std::stop_token& stop = state_->stop;
  const absl::Duration end = clock->Steady() + duration;
  std::mutex mutex;
  std::condition_variable stopped;
  const std::stop_callback wake(stop, [&] {
    const std::lock_guard lock(mutex);
    stopped.notify_one();
  });
  std::unique_lock lock(mutex);
  while (!stop.stop_requested() && clock->Steady() < end) clock->WaitUntil(end, lock, stopped);
  return !stop.stop_requested();
}

void JobContext::Progress(double fraction, std::string_view text) const {
  const std::shared_lock lock(state_->mutex);
  if (!state_->closed) state_->report(fraction, text);
}

void JobContext::Print(std::string_view text, capture::Stream stream) const {
  const std::shared_lock lock(state_->mutex);
  if (!state_->closed && state_->print) state_->print(text, stream);
}

void JobContext::Close() {
  const std::lock_guard lock(state_->mutex);
  state_->closed = true;
}

template <typename T>
const T& JobContext::GetAs(const std::string& name) const {
  const auto found = state_->parameters.find(name);
  if (found == state_->parameters.end()) {
    throw std::invalid_argument("parameter " + name + " is not declared");
  }
  const T* value = std::get_if<T>(&found->second);
  if (!value) throw std::invalid_argument("parameter " + name + " is declared with another type");
  return *value;
}

template const std::string& JobContext::GetAs(const std::string& name) const;
template const int64_t& JobContext::GetAs(const std::string& name) const;
template const double& JobContext::GetAs(const std::string& name) const;
template const bool& JobContext::GetAs(const std::string& name) const;
template const absl::Duration& JobContext::GetAs(const std::string& name) const;

}  // namespace jobtail
