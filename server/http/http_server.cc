// The event loop: listening, accepting, stopping.
#include "server/http/http_server.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/host_port.h"
#include "server/http/connection.h"

namespace jobtail::http {
namespace {

// When there are no descriptors left: others may be closed soon.
constexpr std::chrono::milliseconds kAcceptAgain(50);

absl::Status NoAddress(const std::string& text) {
  return absl::InvalidArgumentError(absl::StrCat(
      "address \"", text, "\": give HOST:PORT, such as 127.0.0.1:8080; port 0 picks a free one"));
}

absl::Status CannotListen(const std::string& address, const ErrorCode& error) {
  return absl::UnavailableError(
      absl::StrCat("cannot listen on ", address, " for HTTP: ", error.message(),
                   "; choose another --http-address, such as 127.0.0.1:0 for a free port, or ",
                   "--http-address= for none"));
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(Engine* engine, StorePool* pool, ByteBudget* budget, HttpOptions options)
      : options_(std::move(options)),
        clock_(engine->clock()),
        api_(engine),
        streams_(pool, options_.heartbeat, "http-streams", clock_),
        metrics_("http-metrics", clock_),
        services_{&options_, &api_, pool, budget, &metrics_, {&streams_, loop_}},
        acceptor_(*loop_),
        retry_(*loop_) {}

  ~Impl() { Stop(absl::ZeroDuration()); }

  absl::Status Start();
  void Stop(absl::Duration grace);

  const std::string& url() const { return url_; }
  HttpStats stats() const;

 private:
  absl::Status Listen();
  net::awaitable<void> Accept();
  net::awaitable<void> Refuse(tcp::socket socket);
  net::awaitable<void> Serve(tcp::socket socket);
  void StopAll(bool now);
  void Began();
  void Ended();
  void AwaitEmpty(absl::Duration deadline);

  const HttpOptions options_;
  Clock* const clock_;
  const std::shared_ptr<net::io_context> loop_ = std::make_shared<net::io_context>(1);
  std::atomic<int64_t> refused_{0};
  Api api_;
  StreamSet streams_;
  Scheduler metrics_;
  const ConnectionServices services_;
  std::string url_;
  bool stopped_ = false;
  std::thread thread_;

  // On the event loop alone.
  tcp::acceptor acceptor_;
  net::steady_timer retry_;
  std::unordered_set<Connection*> connections_;
  bool stopping_ = false;

  // A standard one, since waits go by the clock.
  mutable std::mutex mutex_;
  std::condition_variable emptied_;
  int64_t open_ = 0;  // coroutines that are under way; under mutex_
};

absl::Status HttpServer::Impl::Start() {
  if (absl::Status listening = Listen(); !listening.ok()) return listening;
  Began();
  net::co_spawn(*loop_, Accept(), net::detached);
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "http");
    const auto work = net::make_work_guard(*loop_);
    loop_->run();
  });
  return absl::OkStatus();
}

absl::Status HttpServer::Impl::Listen() {
  const std::optional<HostPort> address = ParseHostPort(options_.address);
  if (!address.has_value()) return NoAddress(options_.address);
  ErrorCode error;
  tcp::resolver resolver(*loop_);
  const auto found =
      resolver.resolve(address->host, absl::StrCat(address->port), tcp::resolver::passive, error);
  if (error) return CannotListen(options_.address, error);
  const tcp::endpoint endpoint = found.begin()->endpoint();
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(net::socket_base::max_listen_connections, error);
  if (error) return CannotListen(options_.address, error);
  const HostPort bound = {address->host, acceptor_.local_endpoint().port()};
  url_ = absl::StrCat("http://", bound.ToString(), "/");
  return absl::OkStatus();
}

net::awaitable<void> HttpServer::Impl::Accept() {
  while (!stopping_) {
    ErrorCode error;
    tcp::socket socket = co_await acceptor_.async_accept(Into(&error));
    if (stopping_) break;
    if (error) {
      retry_.expires_after(kAcceptAgain);
      co_await retry_.async_wait(Into(&error));
      continue;
    }
    Began();
    const bool is_full = connections_.size() >= options_.max_connections;
    net::co_spawn(*loop_, is_full ? Refuse(std::move(socket)) : Serve(std::move(socket)),
                  net::detached);
  }
  Ended();
}

net::awaitable<void> HttpServer::Impl::Refuse(tcp::socket socket) {
  static constexpr std::string_view kAnswer =
      "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 5\r\n"
      "Connection: close\r\n\r\n";
  ++refused_;
  ErrorCode ignored;
  co_await net::async_write(socket, net::buffer(kAnswer.data(), kAnswer.size()), Into(&ignored));
  socket.close(ignored);
  Ended();
}

net::awaitable<void> HttpServer::Impl::Serve(tcp::socket socket) {
  {
    Connection connection(std::move(socket), &services_);
    connections_.insert(&connection);
    co_await connection.Run();
    connections_.erase(&connection);
  }
  Ended();
}

void HttpServer::Impl::Began() {
  const std::lock_guard lock(mutex_);
  ++open_;
}

void HttpServer::Impl::Ended() {
  const std::lock_guard lock(mutex_);
  if (--open_ == 0) emptied_.notify_all();
}

// Until no coroutine is under way, or the clock has reached `deadline`.
void HttpServer::Impl::AwaitEmpty(absl::Duration deadline) {
  std::unique_lock lock(mutex_);
  while (open_ > 0 && clock_->Steady() < deadline) clock_->WaitUntil(deadline, lock, emptied_);
}

void HttpServer::Impl::StopAll(bool now) {
  stopping_ = true;
  ErrorCode ignored;
  acceptor_.close(ignored);
  retry_.cancel();
  for (Connection* connection : connections_) connection->Stop(now);
}

// Connections first, while everything they may be waiting for still works; then the threads.
void HttpServer::Impl::Stop(absl::Duration grace) {
  if (!thread_.joinable() || std::exchange(stopped_, true)) return;
  net::post(*loop_, [this] { StopAll(/*now=*/false); });
  const absl::Duration deadline = clock_->Steady() + grace;
  streams_.StopAll(grace);
  AwaitEmpty(deadline);
  net::post(*loop_, [this] { StopAll(/*now=*/true); });
  AwaitEmpty(absl::InfiniteDuration());
  metrics_.Stop();
  loop_->stop();
  thread_.join();
  loop_->restart();
  loop_->poll();  // what was cancelled last holds streams
}

HttpStats HttpServer::Impl::stats() const {
  HttpStats stats;
  stats.streams = streams_.stats();
  stats.refused_connections = refused_;
  const std::lock_guard lock(mutex_);
  stats.connections = std::max<int64_t>(0, open_ - 1);
  return stats;
}

HttpServer::HttpServer(Engine* engine, StorePool* pool, ByteBudget* budget, HttpOptions options)
    : impl_(std::make_unique<Impl>(engine, pool, budget, std::move(options))) {}

HttpServer::~HttpServer() = default;

absl::Status HttpServer::Start() { return impl_->Start(); }

void HttpServer::Stop(absl::Duration grace) { impl_->Stop(grace); }

const std::string& HttpServer::url() const { return impl_->url(); }

HttpStats HttpServer::stats() const { return impl_->stats(); }

}  // namespace jobtail::http
