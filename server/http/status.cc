// The translation of absl::Status.
#include "server/http/status.h"

#include "absl/strings/str_cat.h"
#include "base/json_text.h"
#include "base/utf8.h"

namespace jobtail::http {
namespace {

constexpr size_t kMaxMessageBytes = 16 << 10;

}  // namespace

unsigned ToHttpStatus(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return 409;
    case absl::StatusCode::kResourceExhausted:
      return 429;
    case absl::StatusCode::kCancelled:
      return 499;
    case absl::StatusCode::kUnimplemented:
      return 501;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

std::string ToJson(const absl::Status& status) {
  std::string json = absl::StrCat("{\"code\":", static_cast<int>(status.code()), ",\"message\":");
  AppendJsonText(ToUtf8(std::string(status.message()), kMaxMessageBytes), &json);
  json += '}';
  return json;
}

}  // namespace jobtail::http
