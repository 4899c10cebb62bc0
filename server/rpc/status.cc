// The translation of absl::Status.
#include "server/rpc/status.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "server/access/quotas.h"

namespace jobtail {

// Both enumerations are google.rpc.Code.
static_assert(static_cast<int>(absl::StatusCode::kNotFound) == grpc::StatusCode::NOT_FOUND);
static_assert(static_cast<int>(absl::StatusCode::kUnauthenticated) ==
              grpc::StatusCode::UNAUTHENTICATED);

namespace {

// A message travels in the trailing metadata, percent-encoded, and all of that must fit into 8 KiB.
std::string Shortened(std::string message) {
  constexpr size_t kMaxBytes = 2000;
  if (message.size() <= kMaxBytes) return message;
  size_t end = kMaxBytes;
  while ((message[end] & 0xC0) == 0x80) --end;  // not within a character
  return message.substr(0, end) + " ...";
}

}  // namespace

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return {static_cast<grpc::StatusCode>(status.code()), Shortened(std::string(status.message()))};
}

void AddRetryAfter(const absl::Status& status, grpc::CallbackServerContext* context) {
  const absl::Duration delay = access::RetryAfter(status);
  if (delay == absl::ZeroDuration()) return;
  context->AddTrailingMetadata("grpc-retry-pushback-ms",
                               absl::StrCat(absl::ToInt64Milliseconds(delay)));
}

}  // namespace jobtail
