// The course of a connection: read a request, see who asks, answer, again.
#include "server/http/connection.h"

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/connection_name.h"
#include "base/host_port.h"
#include "base/utf8.h"
#include "server/access/secret.h"
#include "server/http/request_check.h"
#include "server/http/responses.h"

namespace jobtail::http {
namespace {

namespace bhttp = beast::http;

// In bytes. It says no more than what was asked for.
constexpr size_t kSmallAnswer = 16 << 10;

// How long a client may take to receive an answer in one piece.
constexpr std::chrono::seconds kSendTimeout(60);

// How long a client may go on with a request that was refused.
constexpr std::chrono::seconds kLinger(2);

// What the parser says, in the words of an answer. Status 0: there is nobody to answer to.
absl::Status StatusOf(const ErrorCode& error, const HttpOptions& options, unsigned* status) {
  if (error == bhttp::error::header_limit || error == bhttp::error::buffer_overflow) {
    *status = 431;
    return absl::ResourceExhaustedError(absl::StrCat(
        "the request's header exceeds ", options.max_header_bytes, " bytes; send a shorter one"));
  }
  if (error == bhttp::error::body_limit) {
    *status = 413;
    return absl::ResourceExhaustedError(absl::StrCat(
        "the request's body exceeds ", options.max_body_bytes, " bytes; send a shorter one"));
  }
  const bool is_malformed =
      error.category() == bhttp::make_error_code(bhttp::error::bad_line_ending).category() &&
      error != bhttp::error::end_of_stream && error != bhttp::error::partial_message;
  *status = is_malformed ? 400 : 0;
  return absl::InvalidArgumentError(absl::StrCat("this is no HTTP request: ", error.message()));
}

// As a load balancer that speaks HTTP/1.0 asks how the server is. No browser leaves the Host out.
bool IsNamelessProbe(const Message& request) {
  const std::string_view path = PathOf(request);
  const bool reads = request.method() == bhttp::verb::get || request.method() == bhttp::verb::head;
  return reads && request.count(bhttp::field::host) == 0 &&
         (path == "/healthz" || path == "/readyz" || path == "/metrics");
}

}  // namespace

Connection::Connection(Protocol::socket socket, const ConnectionServices* services)
    : services_(*services),
      options_(*services->options),
      socket_(std::make_shared<ClientSocket>(
          std::move(socket), services->certificates ? services->certificates->Current() : nullptr)),
      client_(socket_->Name()),
      held_(services->budget, client_),
      stranger_(services->newcomers->Enter(ClientAddress(client_))),
      began_(services->clock->Steady()),
      on_loopback_(socket_->on_loopback()),
      own_address_(socket_->own_address()) {}

net::awaitable<bool> Connection::Handshake() {
  idle_ = true;
  socket_->expires_after(absl::ToChronoNanoseconds(options_.handshake_timeout));
  const bool is_ready = co_await socket_->Handshake();
  idle_ = false;
  socket_->expires_never();
  if (is_ready) peer_ = socket_->Peer();
  co_return is_ready;
}

net::awaitable<void> Connection::Run() {
  // One co_await an expression: with more of them, joined by &&, g++ 12 goes astray.
  while (!stopping_) {
    const bool has_request = co_await AwaitRequest();
    if (!has_request) break;
    const bool goes_on = co_await Serve();
    if (!goes_on) break;
  }
  idle_ = true;  // Stop does not wait for a goodbye
  co_await socket_->ShutDown();
}

// While it is idle nobody else is at its members, and its place is free at once.
void Connection::GiveWay(absl::Duration patience) {
  if (is_known_) return;
  if (!is_one_too_many_ && services_.clock->Steady() - began_ <= patience) return;
  if (idle_) stranger_ = {};
  Stop(/*now=*/false);
}

void Connection::Stop(bool now) {
  stopping_ = true;
  if (idle_ || now) socket_->close();
}

// Waits for the first bytes. A connection between two requests costs no parser.
net::awaitable<bool> Connection::AwaitRequest() {
  if (buffer_.size() > 0) co_return true;
  constexpr size_t kFirstBytes = 4 << 10;
  idle_ = true;
  socket_->expires_after(absl::ToChronoNanoseconds(options_.idle_timeout));
  ErrorCode error;
  const size_t got = co_await socket_->async_read_some(buffer_.prepare(kFirstBytes), Into(&error));
  buffer_.commit(got);
  idle_ = false;
  co_return !error && got > 0;
}

// False if the connection cannot be used for more.
net::awaitable<bool> Connection::Serve() {
  Parser parser;
  parser.header_limit(options_.max_header_bytes);
  parser.body_limit(options_.max_body_bytes);
  socket_->expires_after(absl::ToChronoNanoseconds(options_.request_timeout));
  unsigned status = 0;
  const absl::Status read = co_await Read(&parser, &status);
  socket_->expires_never();
  if (!read.ok()) {
    parser.get().keep_alive(false);  // who knows what comes next
    if (status == 0) co_return false;
    std::string().swap(parser.get().body());  // assigning nothing would keep its memory
    held_.Release();
    body_ = {};
    co_await SendReply(parser.get(), ErrorReply(read, status));
    co_await Linger();
    co_return false;
  }
  const Message request = parser.release();
  const bool answered = co_await Answer(request);
  held_.Release();
  body_ = {};
  co_return answered&& request.keep_alive();
}

// Reads a request whose sender may make it. On an error, `*status` is what to answer, 0 for
// nothing.
net::awaitable<absl::Status> Connection::Read(Parser* parser, unsigned* status) {
  ErrorCode error;
  co_await bhttp::async_read_header(*socket_, buffer_, *parser, Into(&error));
  if (error) co_return StatusOf(error, options_, status);
  if (absl::Status clear = CheckUnambiguous(&parser->get()); !clear.ok()) {
    *status = 400;
    co_return clear;
  }
  is_named_ = !IsOwnName(HostOf(Field(parser->get(), "Host")));
  if (absl::Status allowed = Check(parser->get()); !allowed.ok()) {
    *status = absl::IsInvalidArgument(allowed) ? 415 : 403;
    co_return allowed;
  }
  const boost::string_view target = parser->get().target();
  if (access::HasToken({target.data(), target.size()})) {
    *status = 400;
    co_return absl::InvalidArgumentError(
        "a token in an address is seen by many, and no secret any more: revoke it, and send the "
        "next in \"authorization: Bearer ...\"");
  }
  if (absl::Status plain = CheckEncoding(parser->get()); !plain.ok()) {
    *status = 415;
    co_return plain;
  }
  if (parser->is_done()) co_return absl::OkStatus();
  if (Field(parser->get(), "Expect") == "100-continue") {
    const bool sent = co_await Continue();
    if (!sent) co_return absl::CancelledError();
  }
  co_return co_await ReadBody(parser, status);
}

// What has come of the body, and the buffer that it comes through, are within the budget. Fields
// that come after a body in chunks (trailers) say nothing about the request: the parser would have
// them among its headers, where a proxy that sees to these has not seen them.
net::awaitable<absl::Status> Connection::ReadBody(Parser* parser, unsigned* status) {
  ErrorCode error;
  parser->eager(true);
  std::optional<Message::header_type> header;
  if (parser->chunked()) header = parser->get().base();
  absl::StatusOr<access::Quotas::Place> place = services_.api->HoldRequest(Ask(parser->get()));
  if (place.ok()) body_ = *std::move(place);
  while (!error && !parser->is_done()) {
    co_await bhttp::async_read_some(*socket_, buffer_, *parser, Into(&error));
    if (absl::Status held = HoldBody(*parser); !held.ok()) {
      *status = 429;
      co_return held;
    }
  }
  if (header) parser->get().base() = *std::move(header);
  DropByteOrderMark(&parser->get().body());
  co_return error ? StatusOf(error, options_, status) : absl::OkStatus();
}

absl::Status Connection::HoldBody(const Parser& parser) {
  const size_t bytes = parser.get().body().size();
  if (absl::Status held = held_.Resize(bytes + buffer_.capacity()); !held.ok()) return held;
  absl::Status held = body_.Resize(static_cast<int64_t>(bytes));
  if (held.ok()) return held;
  if (auto note = services_.api->NoteRequest(Ask(parser.get()), held)) {
    services_.pool->Run(client_, std::move(note));
  }
  return held;
}

net::awaitable<bool> Connection::Continue() {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  ErrorCode error;
  co_await net::async_write(*socket_, net::buffer(kContinue.data(), kContinue.size()),
                            Into(&error));
  co_return !error;
}

// Were the connection closed while the client still sends, it would lose our answer. What it sends
// goes to one place for all connections, which are on one thread.
net::awaitable<void> Connection::Linger() {
  static thread_local std::array<char, 64 << 10> discarded;
  ErrorCode error;
  idle_ = true;
  buffer_.clear();
  buffer_.shrink_to_fit();
  socket_->socket().shutdown(net::socket_base::shutdown_send, error);
  socket_->expires_after(kLinger);
  while (!error) co_await socket_->async_read_some(net::buffer(discarded), Into(&error));
}

Provenance Connection::ProvenanceOf(const Message& request) const {
  const boost::string_view method = request.method_string();
  const std::string_view length = Field(request, "Content-Length");
  return {.method = {method.data(), method.size()},
          .host = Field(request, "Host"),
          .origin = Field(request, "Origin"),
          .referer = Field(request, "Referer"),
          .fetch_site = Field(request, "Sec-Fetch-Site"),
          .content_type = Field(request, "Content-Type"),
          .has_body = request.chunked() || (!length.empty() && length != "0"),
          .on_loopback = on_loopback_,
          .own_address = own_address_};
}

absl::Status Connection::Check(const Message& request) const {
  absl::Status checked = CheckProvenance(request);
  if (!absl::IsPermissionDenied(checked)) return checked;
  if (auto note = services_.api->NoteForeign(Ask(request), checked)) {
    services_.pool->Run(client_, std::move(note));
  }
  return checked;
}

absl::Status Connection::CheckProvenance(const Message& request) const {
  const Provenance from = ProvenanceOf(request);
  if (IsNamelessProbe(request)) return absl::OkStatus();
  if (absl::Status host = CheckHost(from, options_); !host.ok()) return host;
  const bool changes = request.method() != bhttp::verb::get &&
                       request.method() != bhttp::verb::head &&
                       request.method() != bhttp::verb::options;
  if (!changes) return absl::OkStatus();
  const bool is_form = PathOf(request).starts_with("/stream/");
  return is_form ? CheckForm(from, options_) : CheckOrigin(from, options_);
}

// An answer for which there is no room is replaced by one that says so. Not one that is about as
// large as the request: what was asked for has been done by then.
net::awaitable<bool> Connection::SendReply(const Message& request, Reply reply) {
  const absl::Status held = held_.Resize(request.body().size() + reply.body.size());
  const bool is_small = reply.body.size() <= request.body().size() + kSmallAnswer;
  if (!held.ok() && !is_small) reply = ErrorReply(held);
  co_return co_await Send(MakeResponse(request, std::move(reply), options_));
}

// A browser that has come by TLS is to do so for a year. Not to what it calls this machine: other
// programs' ports are of the same name, and addresses have no such memory.
template <typename Header>
void Connection::Secure(Header* header) const {
  if (!socket_->is_tls() || !is_named_) return;
  header->set(bhttp::field::strict_transport_security, "max-age=31536000");
}

net::awaitable<bool> Connection::Send(Response response) {
  ErrorCode error;
  Secure(&response);
  socket_->expires_after(kSendTimeout);
  co_await bhttp::async_write(*socket_, response, Into(&error));
  socket_->expires_never();
  co_return !error && response.keep_alive();
}

net::awaitable<bool> Connection::SendStream(const Message& request, Reply reply) {
  StreamHeader header = MakeStreamHeader(request, reply, options_);
  Secure(&header);
  bhttp::response_serializer<bhttp::empty_body> serializer(header);
  ErrorCode error;
  socket_->expires_after(kSendTimeout);
  co_await bhttp::async_write_header(*socket_, serializer, Into(&error));
  socket_->expires_never();
  if (error) {
    services_.pool->Run(
        client_, [feed = std::shared_ptr<Feed>(std::move(reply.feed))] { feed->ClientGone(); });
    co_return false;
  }
  if (request.method() == bhttp::verb::head) co_return header.keep_alive();
  if (buffer_.size() == 0) buffer_.shrink_to_fit();
  const auto body = std::make_shared<StreamBody>(socket_, *std::move(reply.form), header.chunked(),
                                                 services_.streams, client_);
  const bool complete = co_await body->Run(std::move(reply.feed));
  co_return complete&& header.keep_alive();
}

}  // namespace jobtail::http
