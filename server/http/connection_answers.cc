// What a connection answers, by the address that is asked for, and to whom.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/connection_name.h"
#include "base/quoting.h"
#include "server/http/client_watch.h"
#include "server/http/connection.h"
#include "server/http/cookie.h"
#include "server/http/responses.h"

namespace jobtail::http {
namespace {

namespace bhttp = beast::http;

// Where one signs in and out.
constexpr std::string_view kSessionPath = "/session";

bool IsUnder(std::string_view path, std::string_view folder) { return path.starts_with(folder); }

absl::Status NoSuchPage(std::string_view path) {
  const absl::StatusOr<Match> match = FindRoute("GET", path);
  return match.ok() ? absl::OkStatus() : match.status();
}

bool IsAllowed(boost::string_view method, const std::string& allowed) {
  const std::vector<absl::string_view> methods = absl::StrSplit(allowed, ", ");
  return std::ranges::find(methods, absl::string_view(method.data(), method.size())) !=
         methods.end();
}

Reply NotAllowed(std::string_view path, const std::string& allowed) {
  Reply reply = ErrorReply(
      absl::UnimplementedError(absl::StrCat("this method is not served at ",
                                            Quoted(std::string(path)), "; there is ", allowed)),
      405);
  reply.allow = allowed;
  return reply;
}

Reply TextReply(std::string text) {
  Reply reply;
  reply.content_type = "text/plain; charset=utf-8";
  reply.body = std::move(text);
  return reply;
}

}  // namespace

net::awaitable<bool> Connection::Answer(const Message& request) {
  const std::string_view path = PathOf(request);
  const std::string allowed = AllowedAt(path);
  if (request.method() == bhttp::verb::options) {
    co_return co_await Send(MakePreflight(request, options_, allowed));
  }
  if (allowed.empty()) co_return co_await SendReply(request, ErrorReply(NoSuchPage(path)));
  if (!IsAllowed(request.method_string(), allowed)) {
    co_return co_await SendReply(request, NotAllowed(path, allowed));
  }
  if (path == "/healthz" || path == "/readyz") co_return co_await AnswerProbe(request);
  if (path == "/metrics") co_return co_await AnswerMetrics(request);
  if (IsLoginPath(path)) co_return co_await AnswerLogin(request);
  if (const StaticFile* file = FindFile(options_.files, path)) {
    const absl::Status held = held_.Resize(request.body().size() + file->gzip.size());
    if (!held.ok()) co_return co_await SendReply(request, ErrorReply(held));
    co_return co_await Send(MakeFileResponse(request, *file));
  }
  co_return co_await AnswerByApi(request);
}

// The methods that an address takes; empty if there is none of that address.
std::string Connection::AllowedAt(std::string_view path) const {
  if (IsUnder(path, "/v1/")) return AllowedMethods(path);
  if (IsUnder(path, "/stream/")) return "GET, HEAD, POST, OPTIONS";
  if (path == kSessionPath) return services_.api->asks() ? "POST, DELETE, OPTIONS" : "";
  if (IsLoginPath(path)) return services_.login->is_there() ? "GET, OPTIONS" : "";
  const bool is_there = path == "/healthz" || path == "/readyz" ||
                        (path == "/metrics" && options_.metrics) || FindFile(options_.files, path);
  return is_there ? "GET, HEAD, OPTIONS" : "";
}

Reply Connection::ReadyReply() const {
  const absl::Status health = options_.health ? options_.health() : absl::OkStatus();
  return health.ok() ? TextReply("ok\n") : ErrorReply(health, 503);
}

// Whatever the store does: the pool may wait for it.
net::awaitable<bool> Connection::AnswerProbe(const Message& request) {
  if (services_.api->asks_probes()) {
    const auto run = [this](auto task) { services_.probes->Soon(std::move(task)); };
    const auto admit = [this, &request] { return Admit(Ask(request)).status(); };
    const absl::Status admitted = co_await Offload(run, admit);
    if (!admitted.ok()) co_return co_await SendReply(request, ErrorReply(admitted));
  }
  Reply reply = PathOf(request) == "/readyz" ? ReadyReply() : TextReply("ok\n");
  co_return co_await SendReply(request, std::move(reply));
}

// On threads that may wait for the issuer, but for what is known here.
net::awaitable<bool> Connection::AnswerLogin(const Message& request) {
  if (PathOf(request) == kIssuersPath) {
    co_return co_await SendReply(request, services_.login->Answer(Ask(request)));
  }
  const absl::StatusOr<Login::Place> place = services_.login->Enter(client_);
  if (!place.ok()) {
    co_return co_await SendReply(request, services_.login->Refuse(Ask(request), place.status()));
  }
  const auto run = [this](auto task) { services_.login->Run(std::move(task)); };
  const auto answer = [this, &request] {
    http::Request asked = Ask(request);
    asked.home = HomeOf(request);
    asked.login = LoginIn(Field(request, "Cookie"), asked.cookie);
    return services_.login->Answer(asked);
  };
  Reply reply = co_await Offload(run, answer);
  co_return co_await SendReply(request, std::move(reply));
}

net::awaitable<bool> Connection::AnswerMetrics(const Message& request) {
  const auto run = [this](auto task) { services_.metrics->Soon(std::move(task)); };
  const auto answer = [this, &request] {
    const absl::StatusOr<access::Caller> caller = Admit(Ask(request));
    if (!caller.ok()) return ErrorReply(caller.status());
    std::string text;
    const absl::Status told = options_.metrics(*caller, &text);
    if (!told.ok()) return ErrorReply(told);
    Reply reply = TextReply(std::move(text));
    reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
    return reply;
  };
  Reply reply = co_await Offload(run, answer);
  co_return co_await SendReply(request, std::move(reply));
}

// The console's address as the browser has it: behind a proxy, only the configuration knows.
std::string Connection::HomeOf(const Message& request) const {
  const PublicUrl& url = options_.public_url;
  if (!url.origin.empty()) return url.origin + url.path;
  return absl::StrCat(socket_->is_tls() ? "https" : "http", "://",
                      std::string(Field(request, "Host")), "/");
}

// A request as the API wants it, with what tells who asks. The cookie counts only where no page of
// another site can have asked: browsers are told to keep it back then, and this does not rely on
// it.
http::Request Connection::Ask(const Message& request) const {
  http::Request asked = ToRequest(request);
  asked.peer = peer_;
  asked.address = client_;
  asked.headers = [&request](const std::string& name) { return ValuesOf(request, name); };
  asked.cookie = {.is_tls = socket_->is_tls() || options_.public_url.is_https,
                  .path = options_.public_url.path};
  const std::string_view site = Field(request, "Sec-Fetch-Site");
  if (site != "cross-site" && site != "same-site") {
    asked.session = SessionIn(Field(request, "Cookie"), asked.cookie);
  }
  return asked;
}

// Away from the event loop, while the connection waits: nobody else is at its members. From then on
// the connection counts as that caller's.
absl::StatusOr<access::Caller> Connection::Admit(const http::Request& asked) {
  absl::StatusOr<access::Caller> caller = services_.api->Admit(asked);
  if (!caller.ok()) return caller;
  absl::Status held = Own(*caller);
  if (held.ok()) held = services_.api->HoldRequest(*caller, asked.body.size(), &body_);
  return held.ok() ? caller : held;
}

absl::Status Connection::Own(const access::Caller& caller) {
  const access::Principal& owner = *caller.principal;
  if (owner.name == owner_) return absl::OkStatus();
  absl::StatusOr<access::Quotas::Place> place = services_.api->HoldConnection(caller);
  std::optional<access::AddressPlaces::Place> stranger;
  if (place.ok() && owner.IsAnonymous()) {
    stranger = services_.anonymous->TryEnter(ClientAddress(client_));
    if (!stranger) place = access::TooManyAnonymous();
    is_one_too_many_ = !stranger;
  }
  if (!place.ok()) {
    services_.api->NoteConnection(caller, place.status());
    return place.status();
  }
  place_ = *std::move(place);
  owner_ = owner.name;
  stranger_ = stranger ? *std::move(stranger) : access::AddressPlaces::Place();
  is_known_ = true;
  return absl::OkStatus();
}

// Away from the event loop: whatever may wait for the store, or for a lock.
net::awaitable<bool> Connection::AnswerByApi(const Message& request) {
  const auto watch = std::make_shared<ClientWatch>(&socket_->socket());
  const auto answer = [this, &request, &watch] {
    http::Request asked = Ask(request);
    if (PathOf(request) == kSessionPath) return services_.api->Session(asked);
    absl::StatusOr<access::Caller> caller = Admit(asked);
    if (!caller.ok()) return ErrorReply(caller.status());
    asked.caller = *std::move(caller);
    asked.is_client_gone = [&watch] { return watch->IsGone(); };
    if (IsUnder(PathOf(request), "/stream/")) {
      return services_.api->RunInPage(asked, IsFromOwnPage(ProvenanceOf(request)));
    }
    return services_.api->Handle(asked);
  };
  const auto run = [this](auto task) { services_.pool->Run(client_, std::move(task)); };
  watch->Begin();
  Reply reply = co_await Offload(run, answer);
  watch->End();
  if (!reply.feed) co_return co_await SendReply(request, std::move(reply));
  co_return co_await SendStream(request, std::move(reply));
}

}  // namespace jobtail::http
