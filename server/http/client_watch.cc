// Peeks at a socket whenever it becomes readable.
#include "server/http/client_watch.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace jobtail::http {
namespace {

// Whether it will send nothing more, whatever of it has not been read yet.
bool HasClosed(int socket) {
  pollfd peer{.fd = socket, .events = POLLRDHUP, .revents = 0};
  return poll(&peer, 1, 0) > 0;
}

}  // namespace

Sign LookAt(int socket) {
  char byte;
  const ssize_t got = recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (got > 0) return Sign::kSent;
  const bool is_silent = got < 0 && (errno == EAGAIN || errno == EINTR);
  return is_silent ? Sign::kNone : Sign::kGone;
}

void ClientWatch::Begin() {
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const ErrorCode& error) {
    self->OnReadable(error);
  });
}

void ClientWatch::End() {
  ended_ = true;
  ErrorCode ignored;
  again_.cancel();
  socket_.cancel(ignored);
}

// A socket may be said to be readable that is not.
void ClientWatch::OnReadable(const ErrorCode& error) {
  if (error || ended_) return;
  const Sign sign = LookAt(socket_.native_handle());
  if (sign == Sign::kNone) return Begin();
  if (sign == Sign::kSent) return LookLater();
  Gone();
}

void ClientWatch::LookLater() {
  again_.expires_after(kLookAgain);
  again_.async_wait([self = shared_from_this()](const ErrorCode& error) {
    if (error || self->ended_) return;
    if (!HasClosed(self->socket_.native_handle())) return self->LookLater();
    self->Gone();
  });
}

void ClientWatch::Gone() {
  gone_ = true;
  if (on_gone_) on_gone_();
}

}  // namespace jobtail::http
