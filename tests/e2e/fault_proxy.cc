// The proxy's threads, which hand bytes on until the planned fault.

#include "tests/e2e/fault_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <system_error>
#include <utility>

namespace jobtail::e2e {
namespace {

using Way = Fault::Way;

[[noreturn]] void Fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int Socket() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) Fail("socket");
  return fd;
}

int ListenOnAnyPort(int* port) {
  const int fd = Socket();
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd, raw, size) < 0 || listen(fd, SOMAXCONN) < 0) Fail("listen");
  if (getsockname(fd, raw, &size) < 0) Fail("getsockname");
  *port = ntohs(address.sin_port);
  return fd;
}

int ConnectTo(int port) {
  const int fd = Socket();
  const sockaddr_in address = Loopback(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) Fail("connect");
  return fd;
}

// Bytes go on as they come, not when there are more.
void SendAtOnce(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

bool SendAll(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<size_t>(sent);
  }
  return true;
}

}  // namespace

// Two sockets and the thread that hands bytes on between them.
class FaultProxy::Connection {
 public:
  Connection(int client, int server, const Fault& fault, FaultProxy* proxy)
      : fault_(fault), proxy_(proxy), fds_{client, server}, buffer_(fault.piece) {
    for (const int fd : fds_) SendAtOnce(fd);
    pumping_ = std::thread([this] { Pump(); });
  }
  ~Connection() {
    {
      std::lock_guard lock(mutex_);
      if (open_) {
        for (const int fd : fds_) shutdown(fd, SHUT_RDWR);
      }
    }
    pumping_.join();
  }

 private:
  void Pump() {
    std::array<pollfd, 2> ready = {{{fds_[0], POLLIN, 0}, {fds_[1], POLLIN, 0}}};
    while (!IsDue()) {
      if (poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) break;
      if (ready[0].revents != 0 && !Forward(Way::kToServer)) return CloseEarly();
      if (IsDue()) break;
      if (ready[1].revents != 0 && !Forward(Way::kToClient)) return CloseEarly();
    }
    proxy_->Ended(fault_, /*by_fault=*/true);
    Close(fault_.end == Fault::End::kReset);
  }

  void CloseEarly() {
    proxy_->Ended(fault_, /*by_fault=*/false);
    Close(/*reset=*/false);
  }

  size_t& Passed(Way way) { return passed_[static_cast<size_t>(way)]; }

  bool IsDue() { return fault_.end != Fault::End::kNone && Passed(fault_.way) >= fault_.after; }

  // False at the end of the connection.
  bool Forward(Way way) {
    size_t room = buffer_.size();
    if (fault_.end != Fault::End::kNone && way == fault_.way) {
      room = std::min(room, fault_.after - Passed(way));
    }
    const bool to_server = way == Way::kToServer;
    const ssize_t count = recv(fds_[to_server ? 0 : 1], buffer_.data(), room, 0);
    if (count < 0 && errno == EINTR) return true;
    if (count <= 0) return false;
    if (!SendAll(fds_[to_server ? 1 : 0], buffer_.data(), static_cast<size_t>(count))) return false;
    Passed(way) += static_cast<size_t>(count);
    if (fault_.pause.count() > 0) std::this_thread::sleep_for(fault_.pause);
    return true;
  }

  void Close(bool reset) {
    std::lock_guard lock(mutex_);
    open_ = false;
    for (const int fd : fds_) {
      const linger at_once{.l_onoff = 1, .l_linger = 0};
      if (reset) setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      close(fd);
    }
  }

  const Fault fault_;
  FaultProxy* const proxy_;
  const std::array<int, 2> fds_;  // the client's, the server's
  std::vector<char> buffer_;
  std::array<size_t, 2> passed_{};  // by way
  std::mutex mutex_;
  bool open_ = true;  // guarded by mutex_
  std::thread pumping_;
};

FaultProxy::FaultProxy(const std::string& server, std::function<Fault(int)> plan)
    : server_port_(std::stoi(server.substr(server.rfind(':') + 1))), plan_(std::move(plan)) {
  int port;
  listener_ = ListenOnAnyPort(&port);
  address_ = "127.0.0.1:" + std::to_string(port);
  accepting_ = std::thread([this] { Accept(); });
}

FaultProxy::~FaultProxy() {
  shutdown(listener_, SHUT_RDWR);
  accepting_.join();
  close(listener_);
}

void FaultProxy::Accept() {
  while (true) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (client < 0) break;
    connections_.push_back(
        std::make_unique<Connection>(client, ConnectTo(server_port_), NextFault(), this));
  }
  connections_.clear();
}

Fault FaultProxy::NextFault() {
  {
    std::lock_guard lock(mutex_);
    if (!left_.empty()) {
      const Fault fault = left_.back();
      left_.pop_back();
      return fault;
    }
  }
  return plan_(planned_++);
}

void FaultProxy::Ended(const Fault& fault, bool by_fault) {
  if (by_fault) {
    ++broken_;
  } else if (fault.end != Fault::End::kNone) {
    std::lock_guard lock(mutex_);
    left_.push_back(fault);
  }
}

}  // namespace jobtail::e2e
