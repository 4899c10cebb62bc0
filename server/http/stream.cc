#include "server/http/stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "server/run/stream_stats.h"

namespace jobtail::http {
Stream::Stream(beast::tcp_stream* socket, std::unique_ptr<Source> source, bool chunked,
               const StreamServices& services)
    : socket_(socket),
      loop_(services.loop),
      source_(std::move(source)),
      chunked_(chunked),
      services_(services),
      signal_(socket->get_executor()) {}

net::awaitable<bool> Stream::Run() {
  ++services_.counters->open;
  WatchClient();
  absl::Status status = co_await Pump();
  source_->CancelWait();
  bool complete = false;
  if (!gone_) complete = co_await Finish(std::move(status));
  // What wakes this may hold it for a while; and the end of a source may cancel a run.
  services_.reads->Soon([source = std::shared_ptr<Source>(std::move(source_))] {});
  ErrorCode ignored;
  socket_->socket().cancel(ignored);
  --services_.counters->open;
  co_return complete;
}

void Stream::Stop(bool now) {
  stopping_ = true;
  stopping_now_ |= now;
  signal_.Set();
}

bool Stream::IsStalled() const {
  return sending_since_ && std::chrono::steady_clock::now() - *sending_since_ >
                               absl::ToChronoNanoseconds(kStalledAfter);
}

// Returns how the stream ended.
net::awaitable<absl::Status> Stream::Pump() {
  if (!co_await Send(source_->Head())) co_return absl::CancelledError();
  while (!gone_) {
    if (stopping_now_) break;
    Source::Pieces pieces;
    const absl::StatusOr<Cursor::Next> next = co_await Pull(&pieces);
    if (!co_await Send(std::move(pieces))) break;
    if (!next.ok()) co_return next.status();
    if (*next == Cursor::Next::kEnd) co_return absl::OkStatus();
    if (*next == Cursor::Next::kWait) {
      if (stopping_) break;
      co_await Idle();
    }
  }
  if (gone_) co_return absl::CancelledError();
  co_return absl::UnavailableError(
      absl::StrCat("the server is shutting down; ", source_->ResumePoint(), " when it is back"));
}

net::awaitable<absl::StatusOr<Cursor::Next>> Stream::Pull(Source::Pieces* pieces) {
  if (!source_->IsCostly()) co_return source_->Pull(pieces);
  const auto pull = [this, pieces] { return source_->Pull(pieces); };
  co_return co_await Offload(services_.reads, pull);
}

// Waits until there may be something to pull, and keeps the connection alive meanwhile.
net::awaitable<void> Stream::Idle() {
  if (!ArmWait()) co_return;
  const auto heartbeat = absl::ToChronoNanoseconds(services_.heartbeat);
  while (!gone_ && !stopping_) {
    if (co_await signal_.WaitFor(heartbeat)) co_return;
    // One that sent something before it went has been heard of for the last time.
    pollfd peer{.fd = socket_->socket().native_handle(), .events = POLLRDHUP, .revents = 0};
    gone_ |= poll(&peer, 1, 0) > 0;
    if (gone_) co_return;
    if (!co_await Send(source_->Heartbeat())) co_return;
  }
}

// The log may call long after this stream has lost interest, from any thread, and even when the
// server is about to go: hence the pointers. What waits in the loop's queue must not hold the loop.
bool Stream::ArmWait() {
  return source_->Wait([self = shared_from_this()] {
    net::post(*self->loop_, [weak = self->weak_from_this()] {
      if (const auto stream = weak.lock()) stream->signal_.Set();
    });
  });
}

net::awaitable<bool> Stream::Send(std::string text) {
  Source::Pieces pieces;
  if (!text.empty()) pieces.push_back(std::make_shared<const std::string>(std::move(text)));
  co_return co_await Send(std::move(pieces));
}

net::awaitable<bool> Stream::Send(Source::Pieces pieces) {
  if (pieces.empty()) co_return true;
  size_t size = 0;
  for (const Rendered& piece : pieces) size += piece->size();
  const std::string header = absl::StrFormat("%x\r\n", size);
  std::vector<net::const_buffer> buffers;
  buffers.reserve(pieces.size() + 2);
  if (chunked_) buffers.push_back(net::buffer(header));
  for (const Rendered& piece : pieces) buffers.push_back(net::buffer(*piece));
  if (chunked_) buffers.push_back(net::buffer("\r\n", 2));

  sending_since_ = std::chrono::steady_clock::now();
  ErrorCode error;
  co_await net::async_write(*socket_, buffers, Into(&error));
  sending_since_.reset();
  gone_ |= static_cast<bool>(error);
  ++services_.counters->pieces;
  services_.counters->bytes += static_cast<int64_t>(size);
  co_return !gone_;
}

// Text has no place for an error: there, the body is left incomplete, which clients notice.
net::awaitable<bool> Stream::Finish(absl::Status status) {
  if (!status.ok() && source_->format() == Format::kText) co_return false;
  if (!co_await Send(source_->Farewell(status))) co_return false;
  if (!chunked_) co_return false;
  ErrorCode error;
  co_await net::async_write(*socket_, net::buffer("0\r\n\r\n", 5), Into(&error));
  co_return !error;
}

// Nothing but reading tells of a client that goes away while there is nothing to send.
void Stream::WatchClient() {
  socket_->socket().async_wait(
      tcp::socket::wait_read,
      [self = shared_from_this()](const ErrorCode& error) { self->OnReadable(error); });
}

void Stream::OnReadable(const ErrorCode& error) {
  if (error || !source_) return;
  char byte;
  const ssize_t got = recv(socket_->socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (got > 0) return;  // the next request, come early: writing will tell of the client
  gone_ = true;
  signal_.Set();
}

}  // namespace jobtail::http
