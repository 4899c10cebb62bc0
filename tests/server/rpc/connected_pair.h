// A real connection of which a test has both ends.
#ifndef JOBTAIL_TESTS_SERVER_RPC_CONNECTED_PAIR_H_
#define JOBTAIL_TESTS_SERVER_RPC_CONNECTED_PAIR_H_

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

namespace jobtail {

// The server's end of a connection, and the client's.
class ConnectedPair {
 public:
  ConnectedPair() {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener, 1), 0);
    EXPECT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
    client_ = socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(connect(client_, reinterpret_cast<sockaddr*>(&address), size), 0);
    server_ = accept(listener, nullptr, nullptr);
    close(listener);
  }
  ~ConnectedPair() {
    close(client_);
    close(server_);
  }
  ConnectedPair(const ConnectedPair&) = delete;
  ConnectedPair& operator=(const ConnectedPair&) = delete;

  int server() const { return server_; }

  // Waits until it has come.
  void Send(size_t bytes) const {
    const std::string text(bytes, 'x');
    ASSERT_EQ(write(client_, text.data(), bytes), static_cast<ssize_t>(bytes));
    std::string come(bytes, '\0');
    ASSERT_EQ(recv(server_, come.data(), bytes, MSG_WAITALL), static_cast<ssize_t>(bytes));
  }

 private:
  int client_ = -1;
  int server_ = -1;
};

}  // namespace jobtail

#endif  // JOBTAIL_TESTS_SERVER_RPC_CONNECTED_PAIR_H_
