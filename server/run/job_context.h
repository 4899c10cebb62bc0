// The view that a job's function has of its run.
#ifndef JOBTAIL_SERVER_RUN_JOB_CONTEXT_H_
#define JOBTAIL_SERVER_RUN_JOB_CONTEXT_H_

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/time_span.h"
#include "capture/sink.h"
#include "server/run/parameter_value.h"

namespace jobtail {

class Clock;

// What a job's function knows of its run. The function is given a reference, valid during its call;
// Current() finds it from elsewhere. Thread-safe.
//
// Once the function has returned, what a thread that it has left behind still holds of a context
// tells what it told before; Progress and Print do nothing then.
class JobContext {
 public:
  using ReportProgress = std::function<void(double fraction, std::string_view text)>;
  // Takes text that may be many lines.
  using PrintText = std::function<void(std::string_view text, capture::Stream stream)>;

  // `clock` is what SleepFor goes by, null for the system's; without `print` nothing is printed.
  JobContext(std::string run_id, ParameterValues parameters, std::stop_token stop,
             ReportProgress report, Clock* clock = nullptr, PrintText print = nullptr);
  ~JobContext();

  JobContext(const JobContext&) = delete;
  JobContext& operator=(const JobContext&) = delete;

  // The context of the run that the calling thread works for: whose function it has called, or to
  // whose log it prints, as threads do that the function has started, and a pool's with
  // capture::Bind. Null for others, once the function has returned, and for threads that were
  // started within a capture::Scope of the job's own. Inside a process of a run's own, every thread
  // is the run's.
  //
  // For code that has no JobContext& at hand: a library that looks whether it is to stop, or has
  // something to say.
  static std::shared_ptr<JobContext> Current();

  const std::string& run_id() const;

  // The value of a declared parameter. T is std::string, int64_t, double, bool or absl::Duration,
  // as declared; or, for the last, a std::chrono::duration. A name that is not declared or has
  // another type throws std::invalid_argument, which ends the run as FAILED.
  template <typename T>
  decltype(auto) Get(const std::string& name) const {
    constexpr bool is_value = std::same_as<T, std::string> || std::same_as<T, int64_t> ||
                              std::same_as<T, double> || std::same_as<T, bool> ||
                              std::same_as<T, absl::Duration>;
    constexpr bool is_chrono = decltype(IsChrono(static_cast<T*>(nullptr)))::value;
    static_assert(is_value || is_chrono,
                  "Get<T>: T is std::string, int64_t (of Parameter::Int), double, bool, "
                  "absl::Duration or a std::chrono::duration, as the parameter is declared");
    if constexpr (is_value) {
      return static_cast<const T&>(GetAs<T>(name));
    } else if constexpr (is_chrono) {
      return ToChrono<T>(GetAs<absl::Duration>(name));
    }
  }

  // Asks to stop on CancelRun, on the job's timeout and on the server's shutdown.
  const std::stop_token& stop_token() const;

  // Sleeps, by the steady clock. False, at once, when the run is asked to stop.
  bool SleepFor(TimeSpan duration) const;

  // Tells how far the run has come: the part that is done, 0 to 1, and what is being done. Readers
  // see the latest.
  void Progress(double fraction, std::string_view text = "") const;

  // Prints whole lines to the run's log, whichever thread calls it and wherever that prints
  // otherwise: for a log of the program's own, or a library whose output capture does not catch. A
  // last line without "\n" is a line, too. Waits like any printing where the log is full.
  void Print(std::string_view text, capture::Stream stream = capture::Stream::kStdout) const;

  // The function has returned. Waits for calls of the last two that are under way.
  void Close();

 private:
  class State;

  template <typename Count, typename Period>
  static std::true_type IsChrono(const std::chrono::duration<Count, Period>*);
  static std::false_type IsChrono(const void*);

  // T is one of a ParameterValue's.
  template <typename T>
  const T& GetAs(const std::string& name) const;

  template <typename Chrono>
  static Chrono ToChrono(absl::Duration duration) {
    using Count = typename Chrono::rep;
    if constexpr (std::is_floating_point_v<Count>) {
      return std::chrono::duration<double>(absl::ToDoubleSeconds(duration));
    } else {
      return std::chrono::duration_cast<Chrono>(absl::ToChronoNanoseconds(duration));
    }
  }

  const std::unique_ptr<State> state_;
};

extern template const std::string& JobContext::GetAs(const std::string& name) const;
extern template const int64_t& JobContext::GetAs(const std::string& name) const;
extern template const double& JobContext::GetAs(const std::string& name) const;
extern template const bool& JobContext::GetAs(const std::string& name) const;
extern template const absl::Duration& JobContext::GetAs(const std::string& name) const;

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_JOB_CONTEXT_H_
