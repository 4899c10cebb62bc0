// How many connections may be there that have not made a call.

#include "server/rpc/pending_handshakes.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

namespace jobtail {
namespace {

class PendingHandshakesTest : public ::testing::Test {
 protected:
  ~PendingHandshakesTest() override {
    for (const int fd : sockets_) close(fd);
  }

  int Socket() {
    sockets_.push_back(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return sockets_.back();
  }

  bool Begin(const std::string& address, int port) {
    return pending_.Begin(Socket(), {address, port}, now_);
  }

  absl::Duration now_ = absl::Hours(1);
  std::vector<int> sockets_;
  PendingHandshakes pending_{{.total = 4, .of_address = 2, .time = absl::Seconds(20)}};
};

TEST_F(PendingHandshakesTest, AreBoundedForAnAddressAndInAll) {
  EXPECT_TRUE(Begin("a", 1));
  EXPECT_TRUE(Begin("a", 2));
  EXPECT_FALSE(Begin("a", 3));
  EXPECT_TRUE(Begin("b", 1));
  EXPECT_TRUE(Begin("c", 1));
  EXPECT_FALSE(Begin("d", 1));
}

TEST_F(PendingHandshakesTest, EndWithACall) {
  EXPECT_TRUE(Begin("10.0.0.1", 1));
  EXPECT_TRUE(Begin("10.0.0.1", 2));
  pending_.Called("ipv4:10.0.0.1:7");
  pending_.Called("unix:");
  EXPECT_FALSE(Begin("10.0.0.1", 3));
  pending_.Called("ipv4:10.0.0.1:2");
  pending_.Called("ipv4:10.0.0.1:2");
  EXPECT_TRUE(Begin("10.0.0.1", 3));
  EXPECT_FALSE(Begin("10.0.0.1", 4));
  EXPECT_TRUE(Begin("::1", 1));
  EXPECT_TRUE(Begin("::1", 2));
  pending_.Called("ipv6:%5B::1%5D:2");
  EXPECT_TRUE(Begin("::1", 3));
}

TEST_F(PendingHandshakesTest, EndWithTheConnection) {
  EXPECT_TRUE(Begin("a", 1));
  EXPECT_TRUE(Begin("a", 2));
  close(sockets_.back());
  sockets_.pop_back();
  now_ += absl::Seconds(1);
  EXPECT_TRUE(Begin("a", 3));
}

TEST_F(PendingHandshakesTest, CountThoseThatEndWithoutACall) {
  EXPECT_TRUE(Begin("a", 1));
  EXPECT_TRUE(Begin("a", 2));
  pending_.Ended({"a", 1});  // one before it, from the same port: this one is still there
  EXPECT_EQ(pending_.unused(), 0);
  EXPECT_FALSE(Begin("a", 3));
  close(sockets_[0]);
  sockets_.erase(sockets_.begin());
  pending_.Ended({"a", 1});
  pending_.Ended({"a", 1});
  EXPECT_EQ(pending_.unused(), 1);
  EXPECT_TRUE(Begin("a", 3));
}

TEST_F(PendingHandshakesTest, EndWithTheirTime) {
  EXPECT_TRUE(Begin("a", 1));
  EXPECT_TRUE(Begin("a", 2));
  now_ += absl::Seconds(21);
  EXPECT_TRUE(Begin("a", 3));
  EXPECT_TRUE(Begin("a", 4));
  EXPECT_FALSE(Begin("a", 5));
}

}  // namespace
}  // namespace jobtail
