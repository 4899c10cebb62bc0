// The event loop: listening, accepting, stopping.
#include "server/http/http_server.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <limits>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/connection_name.h"
#include "base/host_port.h"
#include "base/tally.h"
#include "server/http/connection.h"
#include "server/tls/listen_errors.h"
#include "server/tls/socket_address.h"
#include "server/tls/unix_socket.h"

namespace jobtail::http {
namespace {

// When there are no descriptors left: others may be closed soon.
constexpr std::chrono::milliseconds kAcceptAgain(50);
// For so long there must have been enough; where one place is free now and then, it is not over.
constexpr absl::Duration kShortageIsOver = absl::Seconds(1);

// How often to look for connections that give way, however many want to come in.
constexpr absl::Duration kLookAgain = absl::Milliseconds(20);

// Of all connections, so many may be of one client address, whether or not it is known whose.
size_t MostOfAddress(size_t connections) { return connections - connections / 4; }

absl::Status Failed(const std::string& address, const ErrorCode& error) {
  return CannotListen(address, error.message(),
                      "choose another --http-address, such as 127.0.0.1:0 for a free port, or "
                      "--http-address= for none");
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(Engine* engine, StorePool* pool, ByteBudget* budget, HttpOptions options,
       CertificateSource* certificates)
      : options_(std::move(options)),
        clock_(engine->clock()),
        api_(engine),
        streams_(pool, options_.heartbeat, "http-streams", clock_),
        metrics_("http-metrics", clock_),
        probes_("http-probes", clock_),
        login_(engine->access(), clock_),
        newcomers_(api_.asks() ? access::AddressPlaces::Limits::Of(options_.max_connections)
                               : access::AddressPlaces::Limits()),
        anonymous_(newcomers_.limits()),
        services_{.options = &options_,
                  .api = &api_,
                  .pool = pool,
                  .budget = budget,
                  .login = &login_,
                  .newcomers = &newcomers_,
                  .anonymous = &anonymous_,
                  .metrics = &metrics_,
                  .probes = &probes_,
                  .clock = clock_,
                  .certificates = certificates,
                  .streams = {&streams_, loop_}},
        unix_services_(services_) {
    unix_services_.certificates = nullptr;
    streams_.BoundMessages(options_.stream_message_bytes);
  }

  ~Impl() { Stop(absl::ZeroDuration()); }

  absl::Status Listen();
  void Start();
  void Stop(absl::Duration grace);

  const std::vector<std::string>& urls() const { return urls_; }
  HttpStats stats() const;
  void CheckRights() { streams_.CheckRights(); }
  absl::Status CheckHealth() const;

 private:
  // A place where clients come in.
  struct Entrance {
    Entrance(net::io_context* loop, const ConnectionServices* given)
        : services(given), acceptor(*loop), retry(*loop) {}
    const ConnectionServices* const services;
    net::basic_socket_acceptor<Protocol> acceptor;
    net::steady_timer retry;
  };

  absl::Status Listen(const std::string& text);
  absl::Status ListenAtPath(const std::string& path);
  net::awaitable<void> Accept(Entrance* entrance);
  void NoteShortage(const ErrorCode& error);
  bool IsFull(const Protocol::socket& socket);
  bool HasRoomForNewcomer(const std::string& address);
  net::awaitable<void> Refuse(Protocol::socket socket, bool is_plain);
  net::awaitable<void> Serve(Protocol::socket socket, const ConnectionServices* services);
  net::awaitable<bool> Handshake(Connection* connection, const std::string& address);
  void StopAll(bool now);
  void Began();
  void Ended();
  void AwaitEmpty(absl::Duration deadline);

  const HttpOptions options_;
  Clock* const clock_;
  const std::shared_ptr<net::io_context> loop_ = std::make_shared<net::io_context>(1);
  std::atomic<int64_t> refused_{0};
  std::atomic<int64_t> failed_handshakes_{0};
  // When there was nothing to accept with last, of descriptors or memory.
  std::atomic<int64_t> short_at_{std::numeric_limits<int64_t>::min() / 2};  // steady, in ns
  Api api_;
  StreamSet streams_;
  Scheduler metrics_;
  Scheduler probes_;
  Login login_;
  access::AddressPlaces newcomers_;
  access::AddressPlaces anonymous_;
  const ConnectionServices services_;
  ConnectionServices unix_services_;  // the same, without TLS
  std::vector<std::string> urls_;
  std::list<UnixSocket> paths_;  // that are listened at
  bool stopped_ = false;
  std::thread thread_;

  // On the event loop alone.
  bool is_short_ = false;
  std::list<Entrance> entrances_;
  std::unordered_set<Connection*> connections_;
  Tally handshakes_;  // that are under way, by client address; as the next
  Tally open_of_;
  absl::Duration looked_ = -absl::InfiniteDuration();  // when for connections that give way
  bool stopping_ = false;

  // A standard one, since waits go by the clock.
  mutable std::mutex mutex_;
  std::condition_variable emptied_;
  int64_t open_ = 0;  // coroutines that are under way; under mutex_
};

absl::Status HttpServer::Impl::Listen() {
  absl::Status listening = Listen(options_.address);
  for (const std::string& address : options_.more_addresses) {
    if (listening.ok()) listening = Listen(address);
  }
  return listening;
}

void HttpServer::Impl::Start() {
  for (Entrance& entrance : entrances_) {
    Began();
    net::co_spawn(*loop_, Accept(&entrance), net::detached);
  }
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "http");
    const auto work = net::make_work_guard(*loop_);
    loop_->run();
  });
}

absl::Status HttpServer::Impl::Listen(const std::string& text) {
  if (const auto path = UnixPathOf(text)) return ListenAtPath(*path);
  const std::optional<HostPort> address = ParseHostPort(text);
  if (!address.has_value()) return NoAddress(text, "127.0.0.1:8080");
  ErrorCode error;
  tcp::resolver resolver(*loop_);
  const auto found =
      resolver.resolve(address->host, absl::StrCat(address->port), tcp::resolver::passive, error);
  if (error) return Failed(text, error);
  const tcp::endpoint endpoint = found.begin()->endpoint();
  auto& acceptor = entrances_.emplace_back(loop_.get(), &services_).acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(net::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(net::socket_base::max_listen_connections, error);
  if (error) return Failed(text, error);
  const HostPort bound = {address->host, PortOf(acceptor.local_endpoint().data())};
  urls_.push_back(
      absl::StrCat(services_.certificates ? "https://" : "http://", bound.ToString(), "/"));
  return absl::OkStatus();
}

absl::Status HttpServer::Impl::ListenAtPath(const std::string& path) {
  absl::StatusOr<UnixSocket> socket = UnixSocket::Listen(path, options_.socket);
  if (!socket.ok()) return socket.status();
  paths_.push_back(*std::move(socket));
  ErrorCode error;
  entrances_.emplace_back(loop_.get(), &unix_services_)
      .acceptor.assign(Protocol(AF_UNIX, 0), paths_.back().Release(), error);
  urls_.push_back(absl::StrCat("unix:", path));
  return error ? Failed(urls_.back(), error) : absl::OkStatus();
}

// Nobody waits for a place behind those that do not tell who they are.
bool HttpServer::Impl::HasRoomForNewcomer(const std::string& address) {
  if (newcomers_.HasRoom(address)) return true;
  const absl::Duration now = clock_->Steady();
  if (now - looked_ < kLookAgain) return false;
  looked_ = now;
  for (Connection* connection : connections_) connection->GiveWay(options_.newcomer_patience);
  return newcomers_.HasRoom(address);
}

bool HttpServer::Impl::IsFull(const Protocol::socket& socket) {
  const std::string address = ClientAddress(NameOf(socket));
  if (api_.asks() && !HasRoomForNewcomer(address)) return true;
  return !open_of_.HasRoom(address, options_.max_connections,
                           MostOfAddress(options_.max_connections)) ||
         !handshakes_.HasRoom(address, options_.max_handshakes, options_.max_handshakes / 2);
}

net::awaitable<void> HttpServer::Impl::Accept(Entrance* entrance) {
  while (!stopping_) {
    ErrorCode error;
    Protocol::socket socket = co_await entrance->acceptor.async_accept(Into(&error));
    if (stopping_) break;
    NoteShortage(error);
    if (error) {
      entrance->retry.expires_after(kAcceptAgain);
      co_await entrance->retry.async_wait(Into(&error));
      continue;
    }
    Began();
    const bool is_plain = entrance->services->certificates == nullptr;
    net::co_spawn(*loop_,
                  IsFull(socket) ? Refuse(std::move(socket), is_plain)
                                 : Serve(std::move(socket), entrance->services),
                  net::detached);
  }
  Ended();
}

// A client that has gone meanwhile is no shortage.
void HttpServer::Impl::NoteShortage(const ErrorCode& error) {
  const bool is_short = error == net::error::no_descriptors || error == net::error::no_memory ||
                        error == net::error::no_buffer_space || error.value() == ENFILE;
  if (!is_short && error) return;
  const absl::Duration now = clock_->Steady();
  if (is_short) {
    short_at_ = absl::ToInt64Nanoseconds(now);
    if (std::exchange(is_short_, true)) return;
    spdlog::error("HTTP connections cannot be accepted: {}; see ulimit -n", error.message());
  } else if (is_short_ && now - absl::Nanoseconds(short_at_.load()) > kShortageIsOver) {
    is_short_ = false;
    spdlog::info("HTTP connections are accepted again");
  }
}

// It is tried again all the time while somebody waits; who has gone tells nothing any more.
absl::Status HttpServer::Impl::CheckHealth() const {
  const absl::Duration since = clock_->Steady() - absl::Nanoseconds(short_at_.load());
  if (since > 4 * absl::FromChrono(kAcceptAgain)) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      "the server has no descriptors left to accept HTTP connections with; raise its limit of open "
      "files (ulimit -n)");
}

net::awaitable<void> HttpServer::Impl::Refuse(Protocol::socket socket, bool is_plain) {
  static constexpr std::string_view kAnswer =
      "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 5\r\n"
      "Connection: close\r\n\r\n";
  ++refused_;
  ErrorCode ignored;
  if (is_plain) {
    co_await net::async_write(socket, net::buffer(kAnswer.data(), kAnswer.size()), Into(&ignored));
  }
  socket.close(ignored);
  Ended();
}

net::awaitable<void> HttpServer::Impl::Serve(Protocol::socket socket,
                                             const ConnectionServices* services) {
  {
    const std::string address = ClientAddress(NameOf(socket));
    Connection connection(std::move(socket), services);
    connections_.insert(&connection);
    open_of_.Add(address);
    const bool is_ready = co_await Handshake(&connection, address);
    if (is_ready) co_await connection.Run();
    open_of_.Remove(address);
    connections_.erase(&connection);
  }
  Ended();
}

net::awaitable<bool> HttpServer::Impl::Handshake(Connection* connection,
                                                 const std::string& address) {
  handshakes_.Add(address);
  const bool is_ready = co_await connection->Handshake();
  handshakes_.Remove(address);
  if (!is_ready) ++failed_handshakes_;
  co_return is_ready;
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
  for (Entrance& entrance : entrances_) {
    entrance.acceptor.close(ignored);
    entrance.retry.cancel();
  }
  for (Connection* connection : connections_) connection->Stop(now);
}

// Connections first, while everything they may be waiting for still works; then the threads.
void HttpServer::Impl::Stop(absl::Duration grace) {
  if (!thread_.joinable() || std::exchange(stopped_, true)) return;
  net::post(*loop_, [this] { StopAll(/*now=*/false); });
  const absl::Duration deadline = clock_->Steady() + grace;
  streams_.StopAll(grace);
  AwaitEmpty(deadline);
  login_.GiveUp();
  net::post(*loop_, [this] { StopAll(/*now=*/true); });
  AwaitEmpty(absl::InfiniteDuration());
  metrics_.Stop();
  probes_.Stop();
  login_.Stop();
  loop_->stop();
  thread_.join();
  loop_->restart();
  loop_->poll();  // what was cancelled last holds streams
  paths_.clear();
}

HttpStats HttpServer::Impl::stats() const {
  HttpStats stats;
  stats.streams = streams_.stats();
  stats.refused_connections = refused_;
  stats.failed_handshakes = failed_handshakes_;
  stats.strangers = newcomers_.count() + anonymous_.count();
  const std::lock_guard lock(mutex_);
  stats.connections = std::max<int64_t>(0, open_ - static_cast<int64_t>(entrances_.size()));
  return stats;
}

HttpServer::HttpServer(Engine* engine, StorePool* pool, ByteBudget* budget, HttpOptions options,
                       CertificateSource* certificates)
    : impl_(std::make_unique<Impl>(engine, pool, budget, std::move(options), certificates)) {}

HttpServer::~HttpServer() = default;

absl::Status HttpServer::Listen() { return impl_->Listen(); }

void HttpServer::Start() { impl_->Start(); }

void HttpServer::Stop(absl::Duration grace) { impl_->Stop(grace); }

const std::string& HttpServer::url() const {
  static const auto& none = *new std::string;
  return urls().empty() ? none : urls().front();
}

const std::vector<std::string>& HttpServer::urls() const { return impl_->urls(); }

HttpStats HttpServer::stats() const { return impl_->stats(); }

void HttpServer::CheckRights() { impl_->CheckRights(); }

absl::Status HttpServer::CheckHealth() const { return impl_->CheckHealth(); }

}  // namespace jobtail::http
