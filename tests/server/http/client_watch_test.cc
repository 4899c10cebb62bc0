// What a socket tells of the other end.

#include "server/http/client_watch.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>

namespace jobtail::http {
namespace {

class ClientWatchTest : public ::testing::Test {
 protected:
  ClientWatchTest() {
    tcp::acceptor acceptor(loop_, tcp::endpoint(net::ip::address_v4::loopback(), 0));
    client_.connect(acceptor.local_endpoint());
    server_ = ClientWatch::Socket(acceptor.accept());
  }

  // Ends the connection without a word.
  void Reset() {
    client_.set_option(net::socket_base::linger(true, 0));
    client_.close();
  }

  net::io_context loop_;
  tcp::socket client_{loop_};
  ClientWatch::Socket server_{loop_};
};

TEST_F(ClientWatchTest, TakesSilenceForNoSign) {
  EXPECT_EQ(LookAt(server_.native_handle()), Sign::kNone);
  EXPECT_EQ(LookAt(server_.native_handle()), Sign::kNone);
}

TEST_F(ClientWatchTest, LeavesWhatWasSentWhereItIs) {
  client_.send(net::buffer("x", 1));
  server_.wait(tcp::socket::wait_read);
  EXPECT_EQ(LookAt(server_.native_handle()), Sign::kSent);
  EXPECT_EQ(LookAt(server_.native_handle()), Sign::kSent);
}

TEST_F(ClientWatchTest, KnowsAnEnd) {
  client_.close();
  server_.wait(tcp::socket::wait_read);
  EXPECT_EQ(LookAt(server_.native_handle()), Sign::kGone);
}

TEST_F(ClientWatchTest, KnowsABrokenConnection) {
  Reset();
  server_.wait(tcp::socket::wait_read);
  EXPECT_EQ(LookAt(server_.native_handle()), Sign::kGone);
}

TEST_F(ClientWatchTest, TellsOnceOfAClientThatGoes) {
  int told = 0;
  const auto watch = std::make_shared<ClientWatch>(&server_, [&told] { ++told; });
  watch->Begin();
  loop_.poll();
  EXPECT_FALSE(watch->IsGone());
  client_.close();
  loop_.restart();
  loop_.run();  // until nothing is watched any more
  EXPECT_TRUE(watch->IsGone());
  EXPECT_EQ(told, 1);
}

// TLS says goodbye in bytes, too.
TEST_F(ClientWatchTest, TellsOfAClientThatHasSentSomethingAndGoes) {
  int told = 0;
  const auto watch = std::make_shared<ClientWatch>(&server_, [&told] { ++told; });
  watch->Begin();
  client_.send(net::buffer("x", 1));
  loop_.run_one();
  EXPECT_FALSE(watch->IsGone());
  client_.close();
  loop_.run();  // until nothing is watched any more
  EXPECT_TRUE(watch->IsGone());
  EXPECT_EQ(told, 1);
}

TEST_F(ClientWatchTest, TellsOfNothingAfterItsEnd) {
  int told = 0;
  auto watch = std::make_shared<ClientWatch>(&server_, [&told] { ++told; });
  watch->Begin();
  client_.close();
  watch->End();
  watch.reset();
  loop_.run();
  EXPECT_EQ(told, 0);
}

}  // namespace
}  // namespace jobtail::http
