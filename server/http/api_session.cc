// Who asks, and signing in and out.
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/http/api.h"
#include "server/http/cookie.h"

namespace jobtail::http {
namespace {

// Of a body {"token": "..."}; empty if it is not that.
std::string TokenIn(const std::string& body) {
  google::protobuf::Struct message;
  if (!google::protobuf::util::JsonStringToMessage(body, &message).ok()) return "";
  const auto found = message.fields().find("token");
  return found == message.fields().end() ? "" : found->second.string_value();
}

}  // namespace

access::Credentials CredentialsOf(const Request& request) {
  return {.authorization = request.authorization,
          .session = request.session,
          .peer_identity = &request.peer,
          .peer = request.address,
          .traceparent = request.traceparent,
          .headers = request.headers};
}

absl::StatusOr<access::Caller> Api::Admit(const Request& request) {
  if (!asks()) return access::Caller();
  return engine_->access()->Admit(CredentialsOf(request));
}

std::function<void()> Api::NoteForeign(const Request& request, const absl::Status& why) {
  return asks() ? engine_->access()->DenyForeign(CredentialsOf(request), why) : nullptr;
}

absl::StatusOr<access::Quotas::Place> Api::HoldRequest(const Request& request) {
  if (!asks()) return access::Quotas::Place();
  return engine_->access()->HoldRequest(CredentialsOf(request), 0);
}

std::function<void()> Api::NoteRequest(const Request& request, const absl::Status& why) {
  return asks() ? engine_->access()->DenyRequest(CredentialsOf(request), why) : nullptr;
}

absl::Status Api::HoldRequest(const access::Caller& caller, size_t bytes,
                              access::Quotas::Place* place) {
  if (!asks()) return absl::OkStatus();
  return engine_->access()->HoldRequest(caller, static_cast<int64_t>(bytes), place);
}

void Api::NoteConnection(const access::Caller& caller, const absl::Status& why) {
  if (!asks()) return;
  engine_->access()->DenyBeyondLimit(caller, {.verb = access::AccessControl::kConnect}, why);
}

absl::StatusOr<access::Quotas::Place> Api::HoldConnection(const access::Caller& caller) {
  if (!asks()) return access::Quotas::Place();
  return engine_->access()->HoldConnection(caller);
}

// What a browser had before is over, whether or not the token is right.
Reply Api::Session(const Request& request) {
  access::Credentials credentials = CredentialsOf(request);
  engine_->access()->SignOut(credentials);
  Reply reply;
  reply.body = "{}";
  reply.set_cookies = {SessionCookie("", request.cookie)};
  if (request.method == "DELETE") return reply;
  credentials.session = "";
  const std::string token = TokenIn(request.body);
  absl::StatusOr<std::string> secret = engine_->access()->SignIn(credentials, token);
  if (!secret.ok()) {
    Reply error = ErrorReply(secret.status());
    error.set_cookies = std::move(reply.set_cookies);
    return error;
  }
  reply.set_cookies = {SessionCookie(*secret, request.cookie)};
  return reply;
}

}  // namespace jobtail::http
