// What a job declares, and how a request's parameters are read.
#include "server/run/job.h"

#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/codec/proto_time.h"
#include "base/quoting.h"
#include "server/log/record.h"
#include "server/run/name.h"

namespace jobtail {

Job& Job::Help(std::string text) {
  proto_.set_help(std::move(text));
  return *this;
}

Job& Job::With(const Parameter& parameter) { return With(parameter.proto()); }

Job& Job::With(const v1::Parameter& parameter) {
  *proto_.add_parameters() = parameter;
  return *this;
}

Job& Job::Label(const std::string& name, const std::string& value) {
  (*proto_.mutable_labels())[name] = value;
  return *this;
}

Job& Job::Timeout(absl::Duration timeout) {
  timeout_ = timeout;
  proto_.clear_timeout();
  if (timeout == absl::InfiniteDuration()) return *this;
  *proto_.mutable_timeout() = ToProtoDuration(timeout);
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

Job& Job::KeepAge(absl::Duration age) {
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
  if (const absl::Status status = CheckOptions(options_); !status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("job ", name(), ": ", std::string(status.message())));
  }
  std::set<std::string> names;
  for (const v1::Parameter& parameter : proto_.parameters()) {
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

std::string Job::ParameterNames() const {
  if (proto_.parameters().empty()) return "it has none";
  std::vector<std::string> names;
  for (const v1::Parameter& parameter : proto_.parameters()) names.push_back(parameter.name());
  return absl::StrCat("it has ", absl::StrJoin(names, ", "));
}

absl::StatusOr<ParameterValues> Job::Parse(
    const google::protobuf::Map<std::string, std::string>& given) const {
  ParameterValues values;
  size_t used = 0;
  for (const v1::Parameter& parameter : proto_.parameters()) {
    const auto found = given.find(parameter.name());
    if (found == given.end() && parameter.required()) {
      return absl::InvalidArgumentError(absl::StrCat("job ", name(), ": parameter ",
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
    const absl::Status status = executor_->CheckParameters(values);
    if (!status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("job ", name(), ": ", std::string(status.message())));
    }
    return values;
  }
  for (const auto& [parameter, value] : given) {
    if (values.contains(parameter)) continue;
    return absl::InvalidArgumentError(absl::StrCat("job ", name(), " has no parameter ",
                                                   Quoted(parameter), "; ", ParameterNames()));
  }
  return values;
}

}  // namespace jobtail
