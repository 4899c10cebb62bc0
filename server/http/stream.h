#ifndef JOBTAIL_SERVER_HTTP_STREAM_H_
#define JOBTAIL_SERVER_HTTP_STREAM_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/http/asio.h"
#include "server/http/source.h"

namespace jobtail::http {

// What streams have sent, for operators. Read by any thread.
struct StreamCounters {
  std::atomic<int64_t> open{0};
  std::atomic<int64_t> stalled{0};  // whose client has not taken a piece for some time
  std::atomic<int64_t> pieces{0};
  std::atomic<int64_t> bytes{0};
};

// What streams share. Outlives them.
struct StreamServices {
  Scheduler* reads;  // for what may take long
  std::shared_ptr<net::io_context> loop;
  absl::Duration heartbeat;
  StreamCounters* counters;
};

// The body of an answer that goes on for as long as its source has something: pulls a piece, sends
// it, and pulls the next when the client has taken it, so that a client that stalls costs a place
// in a log and one piece. Lives on the event loop; whatever wakes it holds it.
class Stream : public std::enable_shared_from_this<Stream> {
 public:
  // `socket` outlives Run. Not `chunked`: the end of the connection is the end of the body.
  Stream(beast::tcp_stream* socket, std::unique_ptr<Source> source, bool chunked,
         const StreamServices& services);

  // Sends it all; the header has gone out. True if the body was completed and the connection can
  // be used for more.
  net::awaitable<bool> Run();

  // Ends the stream: once everything has been sent that there is or, `now`, after the piece that is
  // being sent.
  void Stop(bool now);

  // Whether the client has not taken a piece for some time.
  bool IsStalled() const;

 private:
  net::awaitable<absl::Status> Pump();
  net::awaitable<absl::StatusOr<Cursor::Next>> Pull(Source::Pieces* pieces);
  net::awaitable<void> Idle();
  net::awaitable<bool> Send(Source::Pieces pieces);
  net::awaitable<bool> Send(std::string text);
  net::awaitable<bool> Finish(absl::Status status);
  void WatchClient();
  void OnReadable(const ErrorCode& error);
  bool ArmWait();

  beast::tcp_stream* const socket_;
  const std::shared_ptr<net::io_context> loop_;  // outlives signal_
  std::unique_ptr<Source> source_;
  const bool chunked_;
  const StreamServices& services_;  // not to be used after Run
  Signal signal_;
  std::optional<std::chrono::steady_clock::time_point> sending_since_;
  bool gone_ = false;  // the client
  bool stopping_ = false;
  bool stopping_now_ = false;
};

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_STREAM_H_
