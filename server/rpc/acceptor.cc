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

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "base/host_port.h"
#include "server/rpc/call_floods.h"
#include "server/rpc/held_calls.h"
#include "server/rpc/load_shedder.h"
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
// How often connections are counted: within a second for who asks, sooner where a limit is met.
constexpr std::chrono::seconds kCountEvery(1);
constexpr absl::Duration kCountAgain = absl::Milliseconds(20);
// How long nobody can connect from where a flood has come from: gRPC's threads free what it has
// left, which they would not come to if they had the next to read.
constexpr absl::Duration kShutOut = absl::Seconds(10);
// How often it is told that connections are given up.
constexpr absl::Duration kTellEvery = absl::Seconds(10);
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
  return {absl::StrCat("uid=", peer.uid), serial};
}

// Ends a connection that somebody else has open, and drops what has come and was not read. Its
// descriptor stays. One that is closed between being found and being used may be another client's,
// who has to connect anew then.
bool Disconnect(int fd) {
  sockaddr none{};
  none.sa_family = AF_UNSPEC;
  if (connect(fd, &none, sizeof none) == 0) return true;
  return shutdown(fd, SHUT_RDWR) == 0;  // a unix socket, which has no other way
}

}  // namespace

class Acceptor::Impl {
 public:
  Impl(const Limits& limits, Clock* clock)
      : limits_(limits),
        clock_(clock),
        count_(loop_),
        look_(loop_),
        shedder_(limits.resident_bytes),
        owners_(limits.newcomers),
        handshakes_(limits.handshakes) {
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
  int64_t connections() const { return connections_; }
  int64_t refused() const { return refused_; }
  void Called(const std::string& peer) { handshakes_.Called(peer); }
  absl::Status Own(const std::string& peer, const std::string& owner,
                   const ConnectionOwners::Enter& enter) {
    return owners_.Own(peer, owner, enter);
  }
  int64_t newcomers() const { return owners_.newcomers(); }
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
  void HandOn(Listener* listener, int fd, const OpenConnections::Client& client);
  bool HasRoom(const std::string& address);
  bool IsShutOut(const std::string& address);
  void Sweep();
  void GiveUpOverdue();
  bool GiveUp(const OpenConnections::Client& client);
  void Shortage(Listener* listener);
  void Recovered();
  void RefuseWaiting(Listener* listener);
  void OpenReserve();
  void Watch();
  void Count();
  void ShedLoad();
  void GiveUpAll(const std::vector<OpenConnections::Client>& clients, const char* which);

  const Limits limits_;
  Clock* const clock_;
  std::vector<std::string> addresses_;
  std::list<UnixSocket> paths_;  // that are listened at
  Take take_;
  std::thread thread_;
  std::atomic<int64_t> connections_ = 0;
  std::atomic<int64_t> refused_ = 0;
  std::atomic<bool> is_short_ = false;  // of descriptors

  // On the event loop alone, once it runs.
  net::io_context loop_{1};
  std::list<Listener> listeners_;
  net::steady_timer count_;
  net::steady_timer look_;
  OpenConnections open_;
  LoadShedder shedder_;
  HeldCalls held_;
  CallFloods floods_{[this](const OpenConnections::Client& client) { return held_.Of(client); }};
  absl::flat_hash_map<std::string, absl::Duration> shut_out_;  // addresses, until when
  ConnectionOwners owners_;
  PendingHandshakes handshakes_;
  absl::Duration counted_ = -absl::InfiniteDuration();  // when, by the steady clock
  absl::Duration told_ = -absl::InfiniteDuration();     // of load that was shed, the same
  absl::Duration short_since_;                          // the same, while is_short_
  int reserve_ = -1;
  int serial_ = 0;         // of the last unix socket's connection
  bool watching_ = false;  // connections; without any there is nothing to wake up for
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

// Until no connection is open.
void Acceptor::Impl::Watch() {
  if (std::exchange(watching_, true)) return;
  Count();
  ShedLoad();
}

void Acceptor::Impl::ShedLoad() {
  const auto floods = floods_.Look(&open_);
  for (const OpenConnections::Client& client : floods) {
    shut_out_[client.first] = clock_->Steady() + kShutOut;
  }
  GiveUpAll(floods, "begin calls faster than they can be freed are closed");
  GiveUpAll(shedder_.Look(&open_),
            "send most are closed, since the server has taken more memory than it may (see "
            "--memory)");
  look_.expires_after(absl::ToChronoMilliseconds(LoadShedder::kInterval));
  look_.async_wait([this](const ErrorCode& error) {
    if (!error && !stopping_ && watching_) ShedLoad();
  });
}

void Acceptor::Impl::GiveUpAll(const std::vector<OpenConnections::Client>& clients,
                               const char* which) {
  for (const OpenConnections::Client& client : clients) GiveUp(client);
  const absl::Duration now = clock_->Steady();
  if (clients.empty() || now - told_ <= kTellEvery) return;
  told_ = now;
  spdlog::error("connections that {}: that of {}:{} and {} others", which, clients.front().first,
                clients.front().second, clients.size() - 1);
}

void Acceptor::Impl::Stop() {
  if (!thread_.joinable()) {
    listeners_.clear();
    paths_.clear();
    return;
  }
  net::post(loop_, [this] {
    stopping_ = true;
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
  if (!listener->is_unix) return HandOn(listener, fd, PeerOf(from));
  const PeerIdentity peer = IdentityOfSocket(fd);
  const std::string name = MakePeerName(peer, ++serial_);
  const ScopedPeerName naming(fd, name);
  HandOn(listener, fd, PeerOf(peer, serial_));
}

void Acceptor::Impl::HandOn(Listener* listener, int fd, const OpenConnections::Client& client) {
  // A unix socket has no handshake that could be pending.
  if (!HasRoom(client.first) ||
      (!listener->is_unix && !handshakes_.Begin(fd, client, clock_->Steady()))) {
    ++refused_;  // before its client can know
    close(fd);
    return;
  }
  if (const auto before = open_.Add(fd, client)) owners_.Ended(*before);
  owners_.Began(client, clock_->Steady());
  connections_ = static_cast<int64_t>(open_.Count());
  Watch();
  take_({.listener = listener->acceptor.native_handle(),
         .connection = fd,
         .is_unix = listener->is_unix});
}

bool Acceptor::Impl::HasRoom(const std::string& address) {
  if (IsShutOut(address)) return false;
  const auto has_room = [&] {
    return open_.Count() < limits_.connections &&
           open_.CountOf(address) < limits_.connections_of_address && owners_.HasRoom(address);
  };
  const absl::Duration now = clock_->Steady();
  if (!has_room() && now - counted_ >= kCountAgain) {
    Sweep();
    counted_ = now;
    if (!owners_.HasRoom(address)) GiveUpOverdue();
  }
  return has_room();
}

bool Acceptor::Impl::IsShutOut(const std::string& address) {
  if (shut_out_.empty()) return false;
  const absl::Duration now = clock_->Steady();
  absl::erase_if(shut_out_, [now](const auto& entry) { return entry.second <= now; });
  return shut_out_.contains(address);
}

void Acceptor::Impl::Sweep() {
  for (const OpenConnections::Client& client : open_.Sweep()) owners_.Ended(client);
}

// Nobody waits for a place behind those that do not tell who they are.
void Acceptor::Impl::GiveUpOverdue() {
  for (const OpenConnections::Client& client : owners_.Overdue(clock_->Steady())) GiveUp(client);
}

// False if it has gone by itself.
bool Acceptor::Impl::GiveUp(const OpenConnections::Client& client) {
  const std::optional<int> fd = open_.Find(client);
  if (!fd || !Disconnect(*fd)) return false;
  open_.Remove(*fd);
  owners_.Ended(client);
  ++refused_;
  return true;
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
    ++refused_;
    close(fd);
    OpenReserve();
  }
}

void Acceptor::Impl::OpenReserve() {
  if (reserve_ < 0) reserve_ = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void Acceptor::Impl::Count() {
  Sweep();
  counted_ = clock_->Steady();
  connections_ = static_cast<int64_t>(open_.Count());
  if (open_.Count() == 0) {
    watching_ = false;
    look_.cancel();
    return;
  }
  count_.expires_after(kCountEvery);
  count_.async_wait([this](const ErrorCode& error) {
    if (!error && !stopping_) Count();
  });
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

absl::Status Acceptor::Own(const std::string& peer, const std::string& owner,
                           const ConnectionOwners::Enter& enter) {
  return impl_->Own(peer, owner, enter);
}

int64_t Acceptor::newcomers() const { return impl_->newcomers(); }

void Acceptor::Called(const std::string& peer) { impl_->Called(peer); }

int64_t Acceptor::connections() const { return impl_->connections(); }

int64_t Acceptor::refused_connections() const { return impl_->refused(); }

absl::Status Acceptor::CheckHealth() const { return impl_->CheckHealth(); }

}  // namespace jobtail
