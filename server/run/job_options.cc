// Which options make sense.
#include <re2/re2.h>

#include "absl/strings/str_cat.h"
#include "base/quoting.h"
#include "server/run/job_check.h"

namespace jobtail {
namespace {

absl::Status CheckMore(const char* what, int64_t value, int64_t minimum) {
  if (value >= minimum) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(what, " ", value, ": must be ", minimum, " or more"));
}

absl::Status CheckRetention(const JobRetention& keep) {
  if (keep.max_age && *keep.max_age <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat("keep age ", absl::FormatDuration(*keep.max_age), ": must be more than 0"));
  }
  absl::Status status = CheckMore("keep runs", keep.max_runs.value_or(1), 1);
  status.Update(CheckMore("keep run bytes", keep.max_run_bytes.value_or(1), 1));
  return status;
}

absl::Status CheckMask(const std::string& mask) {
  const RE2 pattern(mask, RE2::Quiet);
  if (!pattern.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("mask ", Quoted(mask), ": ", pattern.error(), "; give one in RE2's syntax"));
  }
  if (!RE2::FullMatch("", pattern)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("mask ", Quoted(mask), ": matches nothing at all; give one that needs text"));
}

absl::Status CheckChild(const std::optional<ChildProcess>& child) {
  if (!child || child->grace >= absl::ZeroDuration()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("grace ", absl::FormatDuration(child->grace), ": must not be negative"));
}

}  // namespace

absl::Status CheckOptions(const JobOptions& options) {
  absl::Status status = CheckMore("max running", options.limits.max_running.value_or(1), 1);
  status.Update(CheckMore("max queued", options.limits.max_queued, 0));
  status.Update(CheckRetention(options.retention));
  status.Update(CheckChild(options.child_process));
  for (const std::string& mask : options.masks) status.Update(CheckMask(mask));
  return status;
}

}  // namespace jobtail
