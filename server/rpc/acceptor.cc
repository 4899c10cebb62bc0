// Listening sockets on an event loop of their own, and a descriptor in reserve.
#include "server/rpc/acceptor.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>  // which Boost.Asio 1.74 lacks
//
#include <atomic>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <list>
#include <optional>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/host_port.h"
#include "server/rpc/connection_guard.h"
#include "server/rpc/open_connections.h"
#include "server/rpc/peer_name.h"
#include "server/tls/listen_errors.h"
#include "server/tls/socket_address.h"

namespace jobtail {
namespace {

namespace net = boost::asio;
using tcp = net::ip::tcp;
using Protocol = net::generic::stream_protocol;  // TCP's or unix sockets'
using SocketAcceptor = net::basic_socket_acceptor<Protocol>;
using ErrorCode = boost::system::error_code;

// How long to leave it after a failure: others may close descriptors meanwhile.
constexpr std::chrono::milliseconds kAgain(50);
// So many are accepted at one place before the others have a turn.
constexpr int kInARow = 64;
// How long a client may leave unacknowledged what was sent to it: as gRPC's keepalive has it.
constexpr unsigned kUserTimeoutMillis = 10'000;

bool IsShortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

absl::Status Failed(const std::string& address, const ErrorCode& error) {
  return CannotListen(address, error.message(), "choose another for gRPC; port 0 picks a free one");
}

OpenConnections::Client PeerOf(const sockaddr_storage& peer) {
  const auto* const address = reinterpret_cast<const sockaddr*>(&peer);
  return {IpOf(address), PortOf(address)};
}

// Who a unix socket's peer is stands for its address. `serial` takes the place of a port.
OpenConnections::Client PeerOf(const PeerIdentity& peer, int serial) {
  return {absl::StrCat("unix:uid=", peer.uid), serial};
}

}  // namespace

class Acceptor::Impl {
 public:
  Impl(const Limits& limits, Clock* clock) : clock_(clock), guard_(limits, clock, &loop_) {
    OpenReserve();
  }
  ~Impl() {
    Stop();
    if (reserve_ >= 0) close(reserve_);
  }

  absl::Status Listen(const std::string& text, const SocketAccess& access);
  void Start(Take take);
  void Stop();

  const std::vector<std::string>& addresses() const { return addresses_; }
  ConnectionGuard& guard() { return guard_; }
  absl::Status CheckHealth() const;

 private:
  struct Listener {
    explicit Listener(net::io_context* loop) : acceptor(*loop), retry(*loop) {}
    SocketAcceptor acceptor;
    net::steady_timer retry;
    bool is_unix = false;
  };

  absl::Status ListenAtPath(const std::string& path, const SocketAccess& access);
  ErrorCode ListenAt(const tcp::endpoint& endpoint);
  void AwaitNext(Listener* listener);
  void TryLater(Listener* listener);
  void AcceptSome(Listener* listener);
  bool AcceptOne(Listener* listener);
  void Serve(Listener* listener, int fd, const sockaddr_storage& from);
  void PassToGrpc(Listener* listener, int fd, const OpenConnections::Client& client);
  void Shortage(Listener* listener);
  void Recovered();
  void RefuseWaiting(Listener* listener);
  void OpenReserve();

  Clock* const clock_;
  std::vector<std::string> addresses_;
  std::list<UnixSocket> paths_;  // that are listened at
  Take take_;
  std::thread thread_;
  std::atomic<bool> is_short_ = false;  // of descriptors

  // On the event loop alone, once it runs.
  net::io_context loop_{1};
  std::list<Listener> listeners_;
  ConnectionGuard guard_;       // its thread-safe part is for all
  absl::Duration short_since_;  // by the steady clock, while is_short_
  int reserve_ = -1;
  int serial_ = 0;  // of the last unix socket's connection
  bool stopping_ = false;
};

absl::Status Acceptor::Impl::Listen(const std::string& text, const SocketAccess& access) {
  if (const auto path = UnixPathOf(text)) return ListenAtPath(*path, access);
  const std::optional<HostPort> address = ParseHostPort(text);
  if (!address.has_value()) return NoAddress(text, "127.0.0.1:50051");
  ErrorCode error;
  tcp::resolver resolver(loop_);
  const auto found =
      resolver.resolve(address->host, absl::StrCat(address->port), tcp::resolver::passive, error);
  if (error) return Failed(text, error);
  int port = address->port;
  const size_t before = listeners_.size();
  ErrorCode last;
  for (const auto& entry : found) {
    tcp::endpoint endpoint = entry.endpoint();
    endpoint.port(static_cast<uint16_t>(port));
    error = ListenAt(endpoint);
    if (error == net::error::address_in_use) return Failed(text, error);
    if (error) last = error;  // a machine may lack one of a name's addresses
    if (!error) port = PortOf(listeners_.back().acceptor.local_endpoint().data());
  }
  if (listeners_.size() == before) return Failed(text, last);
  addresses_.push_back(HostPort{address->host, port}.ToString());
  return absl::OkStatus();
}

absl::Status Acceptor::Impl::ListenAtPath(const std::string& path, const SocketAccess& access) {
  absl::StatusOr<UnixSocket> socket = UnixSocket::Listen(path, access);
  if (!socket.ok()) return socket.status();
  paths_.push_back(*std::move(socket));
  Listener& listener = listeners_.emplace_back(&loop_);
  listener.is_unix = true;
  ErrorCode error;
  listener.acceptor.assign(Protocol(AF_UNIX, 0), paths_.back().Release(), error);
  addresses_.push_back(absl::StrCat("unix:", path));
  return error ? Failed(addresses_.back(), error) : absl::OkStatus();
}

// What is set here, connections inherit.
ErrorCode Acceptor::Impl::ListenAt(const tcp::endpoint& endpoint) {
  using UserTimeout = net::detail::socket_option::integer<IPPROTO_TCP, TCP_USER_TIMEOUT>;
  SocketAcceptor& acceptor = listeners_.emplace_back(&loop_).acceptor;
  ErrorCode error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(net::socket_base::reuse_address(true), error);
  if (!error && endpoint.address().is_v6() && endpoint.address().is_unspecified()) {
    acceptor.set_option(net::ip::v6_only(false), error);
  }
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(net::socket_base::max_listen_connections, error);
  if (!error) acceptor.native_non_blocking(true, error);
  if (error) {
    listeners_.pop_back();
    return error;
  }
  fcntl(acceptor.native_handle(), F_SETFD, FD_CLOEXEC);
  ErrorCode ignored;
  acceptor.set_option(tcp::no_delay(true), ignored);
  acceptor.set_option(UserTimeout(kUserTimeoutMillis), ignored);
  return error;
}

void Acceptor::Impl::Start(Take take) {
  take_ = std::move(take);
  for (Listener& listener : listeners_) AwaitNext(&listener);
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "grpc-accept");
    loop_.run();
  });
}

void Acceptor::Impl::Stop() {
  if (!thread_.joinable()) {
    listeners_.clear();
    paths_.clear();
    return;
  }
  net::post(loop_, [this] {
    stopping_ = true;
    guard_.Stop();
    loop_.stop();
  });
  thread_.join();
  listeners_.clear();
  paths_.clear();
}

void Acceptor::Impl::AwaitNext(Listener* listener) {
  listener->acceptor.async_wait(net::socket_base::wait_read,
                                [this, listener](const ErrorCode& error) {
                                  if (error == net::error::operation_aborted || stopping_) return;
                                  if (error) return TryLater(listener);
                                  AcceptSome(listener);
                                });
}

void Acceptor::Impl::TryLater(Listener* listener) {
  listener->retry.expires_after(kAgain);
  listener->retry.async_wait([this, listener](const ErrorCode& error) {
    if (!error && !stopping_) AcceptSome(listener);
  });
}

void Acceptor::Impl::AcceptSome(Listener* listener) {
  for (int i = 0; i < kInARow; ++i) {
    if (AcceptOne(listener) || errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EAGAIN) {
      Recovered();
      break;
    }
    if (IsShortage(errno)) Shortage(listener);
    return TryLater(listener);
  }
  AwaitNext(listener);
}

// False, with errno, if there is none.
bool Acceptor::Impl::AcceptOne(Listener* listener) {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  const int fd = accept4(listener->acceptor.native_handle(), reinterpret_cast<sockaddr*>(&peer),
                         &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return false;
  Recovered();
  Serve(listener, fd, peer);
  return true;
}

void Acceptor::Impl::Serve(Listener* listener, int fd, const sockaddr_storage& from) {
  if (!listener->is_unix) return PassToGrpc(listener, fd, PeerOf(from));
  const PeerIdentity peer = IdentityOfSocket(fd);
  const std::string name = MakePeerName(peer, ++serial_);
  const ScopedPeerName naming(fd, name);
  PassToGrpc(listener, fd, PeerOf(peer, serial_));
}

void Acceptor::Impl::PassToGrpc(Listener* listener, int fd, const OpenConnections::Client& client) {
  // A unix socket has no handshake that could be pending.
  if (!guard_.Begin(fd, client, /*has_handshake=*/!listener->is_unix)) {
    close(fd);
    return;
  }
  take_({.listener = listener->acceptor.native_handle(),
         .connection = fd,
         .is_unix = listener->is_unix});
}

void Acceptor::Impl::Shortage(Listener* listener) {
  const absl::Duration now = clock_->Steady();
  if (!is_short_.exchange(true)) {
    short_since_ = now;
    spdlog::error("there are no descriptors left to accept connections with: see ulimit -n");
  }
  if (now - short_since_ >= kPatience) RefuseWaiting(listener);
}

void Acceptor::Impl::Recovered() {
  if (is_short_.exchange(false)) spdlog::info("there are descriptors again: connections are taken");
  OpenReserve();
}

// Somebody else may be faster to take the descriptor that is free for a moment: then it is tried
// again with what is left. If another can be had for the reserve, the shortage is over, and the
// connection is taken as any other.
void Acceptor::Impl::RefuseWaiting(Listener* listener) {
  for (int i = 0; i < kInARow && reserve_ >= 0; ++i) {
    close(std::exchange(reserve_, -1));
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    const int fd = accept4(listener->acceptor.native_handle(), reinterpret_cast<sockaddr*>(&peer),
                           &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    OpenReserve();
    if (fd < 0) return;
    if (reserve_ >= 0) {
      Recovered();
      return Serve(listener, fd, peer);
    }
    guard_.CountRefused();
    close(fd);
    OpenReserve();
  }
}

void Acceptor::Impl::OpenReserve() {
  if (reserve_ < 0) reserve_ = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

absl::Status Acceptor::Impl::CheckHealth() const {
  if (!is_short_) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      "the server has no descriptors left to accept connections with; raise its limit of open "
      "files (ulimit -n)");
}

Acceptor::Acceptor(const Limits& limits, Clock* clock)
    : impl_(std::make_unique<Impl>(limits, clock)) {}

Acceptor::~Acceptor() = default;

absl::Status Acceptor::Listen(const std::string& address, const SocketAccess& access) {
  return impl_->Listen(address, access);
}

const std::vector<std::string>& Acceptor::addresses() const { return impl_->addresses(); }

void Acceptor::Start(Take take) { impl_->Start(std::move(take)); }

void Acceptor::Stop() { impl_->Stop(); }

absl::Status Acceptor::Own(const std::string& peer, const access::Principal& owner,
                           const ConnectionOwners::Enter& enter) {
  return impl_->guard().Own(peer, owner, enter);
}

int64_t Acceptor::strangers() const { return impl_->guard().strangers(); }

HandledCalls::Call Acceptor::Called(const std::string& peer, size_t bytes) {
  return impl_->guard().Called(peer, bytes);
}

int64_t Acceptor::connections() const { return impl_->guard().connections(); }

int64_t Acceptor::refused_connections() const { return impl_->guard().refused(); }

int64_t Acceptor::unused_connections() const { return impl_->guard().unused(); }

absl::Status Acceptor::CheckHealth() const { return impl_->CheckHealth(); }

}  // namespace jobtail
