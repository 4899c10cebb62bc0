// A call's metadata and connection, as access control wants them.
#include "server/rpc/admission.h"

#include <iterator>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/rpc/peer.h"

namespace jobtail {
namespace {

// The value of a header; empty if there is none. What is there twice could be read in two ways, and
// is nothing that proves anything.
std::string_view HeaderOf(const grpc::CallbackServerContext& context, const char* name) {
  const auto [begin, end] = context.client_metadata().equal_range(name);
  if (begin == end) return "";
  if (std::next(begin) != end) return "twice";
  return {begin->second.data(), begin->second.size()};
}

// All values of a header: gRPC's names are in small letters.
std::vector<std::string> AllOf(const grpc::CallbackServerContext& context,
                               const std::string& name) {
  const auto [begin, end] = context.client_metadata().equal_range(name);
  std::vector<std::string> values;
  for (auto each = begin; each != end; ++each) {
    values.emplace_back(each->second.data(), each->second.size());
  }
  return values;
}

}  // namespace

CallCredentials::CallCredentials(const grpc::CallbackServerContext& context)
    : context_(context), peer_(IdentityOf(context)), address_(context.peer()) {}

access::Credentials CallCredentials::Get() const {
  return {.authorization = HeaderOf(context_, "authorization"),
          .peer_identity = &peer_,
          .peer = address_,
          .traceparent = HeaderOf(context_, "traceparent"),
          .headers = [this](const std::string& name) { return AllOf(context_, name); }};
}

size_t MetadataBytesOf(const grpc::CallbackServerContext& context) {
  constexpr size_t kLengths = 32;
  size_t bytes = 0;
  for (const auto& [name, value] : context.client_metadata()) {
    bytes += name.size() + value.size() + kLengths;
  }
  return bytes;
}

absl::Status CheckMetadata(size_t bytes) {
  if (bytes <= kMaxMetadataBytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("the call's metadata has ", bytes, " bytes, of which there may be ",
                   kMaxMetadataBytes, "; send fewer headers, or smaller cookies"));
}

absl::StatusOr<access::Caller> Admit(access::AccessControl* access, const OnAdmitFunction& on_admit,
                                     const grpc::CallbackServerContext& context) {
  absl::StatusOr<access::Caller> caller = access->Admit(CallCredentials(context).Get());
  if (!caller.ok() || !on_admit) return caller;
  const absl::Status admitted = on_admit(context.peer(), *caller);
  return admitted.ok() ? caller : admitted;
}

}  // namespace jobtail
