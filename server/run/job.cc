// What a job declares, and how a request's parameters are read.
#include "server/run/job.h"

#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/codec/proto_time.h"
#include "base/quoting.h"
#include "google/protobuf/map.h"
#include "jobtail/v1/job.pb.h"
#include "server/log/record.h"
#include "server/run/executor.h"
#include "server/run/function_executor.h"
#include "server/run/job_check.h"
#include "server/run/name.h"
#include "server/run/parameter_check.h"

namespace jobtail {
namespace {

std::string ParameterNames(const Job& job) {
  if (job.proto().parameters().empty()) return "it has none";
  std::vector<std::string> names;
  for (const v1::Parameter& parameter : job.proto().parameters()) names.push_back(parameter.name());
  return absl::StrCat("it has ", absl::StrJoin(names, ", "));
}

}  // namespace

Job::Job(std::string name, std::shared_ptr<const Executor> executor)
    : proto_(std::make_unique<v1::Job>()), executor_(std::move(executor)) {
  proto_->set_name(std::move(name));
}

Job::Job(std::string name, Function function) : Job(std::move(name), nullptr) {
  function_ = std::make_shared<const FunctionExecutor>(std::move(function.call));
  executor_ = function_;
}

Job::Job(const Job& other)
    : proto_(std::make_unique<v1::Job>(*other.proto_)),
      function_(other.function_),
      executor_(other.executor_),
      timeout_(other.timeout_),
      drops_when_full_(other.drops_when_full_),
      options_(other.options_) {}

Job::Job(Job&& other) noexcept = default;
Job& Job::operator=(const Job& other) { return *this = Job(other); }
Job& Job::operator=(Job&& other) noexcept = default;
Job::~Job() = default;

const std::string& Job::name() const { return proto_->name(); }

const JobFunction* Job::function() const { return function_ ? &function_->function() : nullptr; }

void Job::ExecuteBy(std::shared_ptr<const Executor> executor) { executor_ = std::move(executor); }

Job& Job::Help(std::string text) {
  proto_->set_help(std::move(text));
  return *this;
}

Job& Job::With(const Parameter& parameter) { return With(parameter.proto()); }

Job& Job::With(const v1::Parameter& parameter) {
  *proto_->add_parameters() = parameter;
  return *this;
}

Job& Job::Label(const std::string& name, const std::string& value) {
  (*proto_->mutable_labels())[name] = value;
  return *this;
}

Job& Job::Timeout(TimeSpan timeout) {
  timeout_ = timeout;
  proto_->clear_timeout();
  if (timeout == absl::InfiniteDuration()) return *this;
  *proto_->mutable_timeout() = ToProtoDuration(timeout);
  return *this;
}

Job& Job::Capture(const capture::Options& options) {
  options_.capture = options;
  if (!function_) return *this;  // Check says so
  function_ = std::make_shared<const FunctionExecutor>(function_->function(), options);
  executor_ = function_;
  return *this;
}

Job& Job::MaxRunning(int64_t runs) {
  options_.limits.max_running = runs;
  return *this;
}

Job& Job::MaxQueued(int64_t runs) {
  options_.limits.max_queued = runs;
  return *this;
}

Job& Job::Mask(std::string pattern) {
  options_.masks.push_back(std::move(pattern));
  return *this;
}

Job& Job::KeepOverwritten() {
  options_.overwrites = Overwrites::kKeep;
  return *this;
}

Job& Job::ThinOverwritten() {
  options_.overwrites = Overwrites::kThin;
  return *this;
}

Job& Job::KeepAge(TimeSpan age) {
  options_.retention.max_age = age;
  return *this;
}

Job& Job::KeepRuns(int64_t runs) {
  options_.retention.max_runs = runs;
  return *this;
}

Job& Job::KeepRunBytes(int64_t bytes) {
  options_.retention.max_run_bytes = bytes;
  return *this;
}

Job& Job::InChildProcess(const ChildProcess& how) {
  options_.child_process = how;
  return *this;
}

Job& Job::DropWhenFull() {
  drops_when_full_ = true;
  return *this;
}

JobResult Job::ToResult(const absl::Status& status) {
  if (status.ok()) return {};
  return {1, status.ToString()};
}

absl::Status Job::Check() const {
  if (!IsName(name(), /*dash=*/true)) {
    return absl::InvalidArgumentError(
        absl::StrCat("job ", Quoted(name()),
                     ": a name is a lower-case letter, then lower-case letters, digits, \"_\" and "
                     "\"-\"; at most 63 "
                     "in all"));
  }
  if (timeout_ <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "job ", name(), ": timeout ", absl::FormatDuration(timeout_), ": must be more than 0"));
  }
  if (options_.child_process && !function_) {
    return absl::InvalidArgumentError(absl::StrCat(
        "job ", name(), ": InChildProcess is for functions; a command has a process anyway"));
  }
  if (options_.child_process && executor_ == function_) {
    return absl::InvalidArgumentError(absl::StrCat(
        "job ", name(), ": InChildProcess takes a jobtail::Server; add the job to one"));
  }
  if (options_.capture && (!function_ || options_.child_process)) {
    return absl::InvalidArgumentError(
        absl::StrCat("job ", name(),
                     ": Capture is for functions that run on a thread; all that a process of its "
                     "own prints is caught"));
  }
  if (const absl::Status status = CheckOptions(options_); !status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("job ", name(), ": ", std::string(status.message())));
  }
  std::set<std::string> names;
  for (const v1::Parameter& parameter : proto_->parameters()) {
    if (const absl::Status status = CheckDeclaration(parameter); !status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("job ", name(), ": ", std::string(status.message())));
    }
    if (!names.insert(parameter.name()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("job ", name(), ": parameter ", parameter.name(), " is declared twice"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<ParameterValues> ParseParameters(
    const Job& job, const google::protobuf::Map<std::string, std::string>& given) {
  ParameterValues values;
  size_t used = 0;
  for (const v1::Parameter& parameter : job.proto().parameters()) {
    const auto found = given.find(parameter.name());
    if (found == given.end() && parameter.required()) {
      return absl::InvalidArgumentError(absl::StrCat("job ", job.name(), ": parameter ",
                                                     parameter.name(), " is missing; give ",
                                                     parameter.name(), "=VALUE"));
    }
    used += found == given.end() ? 0 : 1;
    auto value =
        ParseValue(parameter, found == given.end() ? parameter.default_value() : found->second);
    if (!value.ok()) return value.status();
    values.emplace(parameter.name(), *std::move(value));
  }
  if (used == given.size()) {
    const absl::Status status = job.executor().CheckParameters(values);
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("job ", job.name(), ": ", std::string(status.message())));
    }
    return values;
  }
  for (const auto& [parameter, value] : given) {
    if (values.contains(parameter)) continue;
    return absl::InvalidArgumentError(absl::StrCat("job ", job.name(), " has no parameter ",
                                                   Quoted(parameter), "; ", ParameterNames(job)));
  }
  return values;
}

}  // namespace jobtail
