// Whether an HTTP client is still there.
#ifndef JOBTAIL_SERVER_HTTP_CLIENT_WATCH_H_
#define JOBTAIL_SERVER_HTTP_CLIENT_WATCH_H_

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "server/http/asio.h"

namespace jobtail::http {

// What a socket tells of the other end.
enum class Sign {
  kNone,  // nothing has come
  kSent,  // there is something to be read
  kGone,  // it has closed, or the connection is broken
};

// Looks without waiting and takes nothing from the socket.
Sign LookAt(int socket);

// Watches a connection while nobody reads from it: nothing but reading tells of a client that goes
// away while there is nothing to send. Once the client has sent something, its next request or a
// record of TLS, the watch looks every kLookAgain whether that was all that will come.
//
// Held by shared_ptr; the socket outlives End. Begin and End are called, and `on_gone` is, on the
// event loop.
class ClientWatch : public std::enable_shared_from_this<ClientWatch> {
 public:
  using Socket = net::basic_stream_socket<net::generic::stream_protocol>;

  static constexpr std::chrono::milliseconds kLookAgain{250};

  // `on_gone` may be null. It is not called after End.
  explicit ClientWatch(Socket* socket, std::function<void()> on_gone = nullptr)
      : socket_(*socket), again_(socket->get_executor()), on_gone_(std::move(on_gone)) {}

  void Begin();

  // Cancels whatever waits on the socket.
  void End();

  // May be called by any thread.
  bool IsGone() const { return gone_; }

 private:
  void OnReadable(const ErrorCode& error);
  void LookLater();
  void Gone();

  Socket& socket_;  // not to be used once ended_
  net::steady_timer again_;
  const std::function<void()> on_gone_;
  bool ended_ = false;
  std::atomic<bool> gone_ = false;
};

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_CLIENT_WATCH_H_
