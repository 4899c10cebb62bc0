// A client below all protocols.
#ifndef JOBTAIL_TESTS_SUPPORT_RAW_CLIENT_H_
#define JOBTAIL_TESTS_SUPPORT_RAW_CLIENT_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

namespace jobtail::testing {

// Has its descriptor from the beginning, so that it can connect where none is left.
class RawClient {
 public:
  RawClient() : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval limit{60, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  ~RawClient() { close(socket_); }

  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // To 127.0.0.1, at the port of "HOST:PORT".
  bool Connect(const std::string& address) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(static_cast<uint16_t>(atoi(&address[address.rfind(':') + 1])));
    return connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }

  // Once it is connected: as gRPC names this end to a server.
  std::string Name() const {
    sockaddr_in name{};
    socklen_t size = sizeof name;
    getsockname(socket_, reinterpret_cast<sockaddr*>(&name), &size);
    return "ipv4:127.0.0.1:" + std::to_string(ntohs(name.sin_port));
  }

  // False once the other end has closed, or takes nothing for a minute.
  bool Send(const std::string& bytes) const {
    const timeval limit{60, 0};
    setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    for (size_t sent = 0; sent < bytes.size();) {
      const ssize_t count = send(socket_, &bytes[sent], bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return false;
      sent += static_cast<size_t>(count);
    }
    return true;
  }

  // Reads what has come, and forgets it.
  void Drop() const {
    char bytes[4096];
    while (recv(socket_, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
    }
  }

  // Appends what has come. False once the other end has closed.
  bool Receive(std::string* bytes) const {
    char part[4096];
    for (;;) {
      const ssize_t count = recv(socket_, part, sizeof part, MSG_DONTWAIT);
      if (count < 0) return errno == EAGAIN;
      if (count == 0) return false;
      bytes->append(part, static_cast<size_t>(count));
    }
  }

  // Waits for the other end to say something, or to close: then true. Nor is silence for a minute
  // an end.
  bool AwaitClose() {
    char byte;
    const ssize_t count = recv(socket_, &byte, 1, 0);
    return count == 0 || (count < 0 && errno != EAGAIN);
  }

 private:
  const int socket_;
};

}  // namespace jobtail::testing

#endif  // JOBTAIL_TESTS_SUPPORT_RAW_CLIENT_H_
