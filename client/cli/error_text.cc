// Errors of calls as sentences with a remedy.

#include "client/cli/error_text.h"

#include "absl/strings/str_cat.h"
#include "base/quoting.h"
#include "client/status_text.h"

namespace jobtail::client::cli {
namespace {

std::string TextFor(const CommonOptions& common, const absl::Status& status) {
  const std::string server = Printable(common.server);
  std::string reason = Printable(StatusText(status));
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
      return absl::StrCat("cannot reach a server at ", server, ": ", reason,
                          "; start one or name another with --server=HOST:PORT");
    case absl::StatusCode::kDeadlineExceeded:
      return absl::StrCat("the server at ", server, " does not answer (", reason,
                          "); try again or name another with --server=HOST:PORT");
    case absl::StatusCode::kUnimplemented:
      return absl::StrCat("what answers at ", server, " is not a jobtail server of this version (",
                          reason, "); name another with --server=HOST:PORT");
    default:
      return reason;
  }
}

}  // namespace

absl::Status ExplainError(const CommonOptions& common, const absl::Status& status) {
  if (status.ok()) return status;
  return {status.code(), TextFor(common, status)};
}

absl::Status ExplainRunError(const CommonOptions& common, const std::string& run,
                             const absl::Status& status) {
  if (!absl::IsNotFound(status)) return ExplainError(common, status);
  return absl::NotFoundError(absl::StrCat("there is no run ", ShellQuoted(Printable(run)), " at ",
                                          Printable(common.server), "; '", common.program,
                                          " runs' lists those there are"));
}

bool IsRefusal(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsInvalidArgument(status) ||
         absl::IsOutOfRange(status) || absl::IsFailedPrecondition(status) ||
         absl::IsPermissionDenied(status) || absl::IsUnauthenticated(status) ||
         absl::IsUnimplemented(status) || absl::IsResourceExhausted(status);
}

}  // namespace jobtail::client::cli
