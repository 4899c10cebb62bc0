// Chunks, and the socket of a client that may have gone.
#include "server/http/stream_body.h"

#include <poll.h>

#include <utility>

#include "absl/strings/str_format.h"

namespace jobtail::http {
namespace {

constexpr std::string_view kChunkEnd = "\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";

net::const_buffer ToBuffer(std::string_view text) { return {text.data(), text.size()}; }

// The stream goes on where the loop is; a log may wake it when both are about to go.
Stream::Executor On(std::shared_ptr<net::io_context> loop) {
  return
      [loop = std::move(loop)](std::function<void()> step) { net::post(*loop, std::move(step)); };
}

}  // namespace

StreamBody::StreamBody(std::shared_ptr<ClientSocket> socket, StreamForm form, bool chunked,
                       const StreamServices& services, const std::string& client)
    : socket_(std::move(socket)),
      form_(std::move(form)),
      chunked_(chunked),
      loop_(services.loop),
      set_(services.set),
      stream_(std::make_shared<Stream>(this, services.set, client, On(services.loop))),
      watch_(std::make_shared<ClientWatch>(&socket_->socket(), [this] { OnClientGone(); })),
      done_(socket_->get_executor()) {}

net::awaitable<bool> StreamBody::Run(std::unique_ptr<Feed> feed) {
  watch_->Begin();
  stream_->Start(std::move(feed));
  while (!finished_) co_await done_.WaitFor(std::chrono::nanoseconds::max());
  stream_->Close();
  watch_->End();
  co_return complete_;
}

size_t StreamBody::Begin() {
  if (const size_t bytes = Send(form_.Head()); bytes > 0) return bytes;
  net::post(*loop_, [self = shared_from_this()] { self->stream_->Sent(true); });
  return 0;
}

absl::Status StreamBody::Take(std::vector<Slice>* slices) {
  pieces_.swap(*slices);
  return absl::OkStatus();
}

size_t StreamBody::SendNext() {
  if (pieces_.empty()) return 0;
  sending_.swap(pieces_);
  pieces_.clear();
  size_t bytes = 0;
  for (const Slice& piece : sending_) bytes += piece.size;
  chunk_size_ = absl::StrFormat("%x\r\n", bytes);
  net::async_write(*socket_, Chunk(), [self = shared_from_this()](const ErrorCode& error, size_t) {
    self->gone_ |= static_cast<bool>(error);
    self->sending_.clear();
    self->stream_->Sent(!error);
  });
  return bytes;
}

std::vector<net::const_buffer> StreamBody::Chunk() {
  std::vector<net::const_buffer> buffers;
  buffers.reserve(sending_.size() + 2);
  if (chunked_) buffers.push_back(ToBuffer(chunk_size_));
  for (const Slice& piece : sending_) buffers.push_back(ToBuffer(piece.view()));
  if (chunked_) buffers.push_back(ToBuffer(kChunkEnd));
  return buffers;
}

size_t StreamBody::Send(std::string text) {
  if (text.empty()) return 0;
  const size_t size = text.size();
  pieces_.push_back({Share(std::move(text)), 0, size});
  return SendNext();
}

size_t StreamBody::SendHeartbeat(const Slice& heartbeat) {
  // A client that sent something before it went has been heard of for the last time.
  pollfd peer{.fd = socket_->socket().native_handle(), .events = POLLRDHUP, .revents = 0};
  if (poll(&peer, 1, 0) > 0) {
    gone_ = true;
    net::post(*loop_, [self = shared_from_this()] { self->stream_->ClientGone(); });
    return 0;
  }
  return Send(form_.Heartbeat(heartbeat));
}

// Text has no place for an error: there, the body is left incomplete, which clients notice.
void StreamBody::Finish(const absl::Status& status, std::optional<int64_t>) {
  if (gone_ || (!status.ok() && form_.format() == Format::kText)) return Done(false);
  sending_.clear();
  const std::string ending = form_.Ending(status);
  if (!ending.empty()) {
    set_->CountMessage(ending.size());
    chunk_size_ = absl::StrFormat("%x\r\n", ending.size());
    sending_.push_back({Share(ending), 0, ending.size()});
  }
  std::vector<net::const_buffer> buffers;
  if (!ending.empty()) buffers = Chunk();
  if (chunked_) buffers.push_back(ToBuffer(kLastChunk));
  net::async_write(*socket_, buffers, [self = shared_from_this()](const ErrorCode& error, size_t) {
    self->Done(!error && self->chunked_);
  });
}

void StreamBody::Done(bool complete) {
  complete_ = complete;
  finished_ = true;
  done_.Set();
}

void StreamBody::OnClientGone() {
  if (finished_) return;
  gone_ = true;
  stream_->ClientGone();
}

}  // namespace jobtail::http
