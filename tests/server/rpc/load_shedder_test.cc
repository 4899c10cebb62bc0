// Tests of who is given up when memory runs out, with real connections.
#include "server/rpc/load_shedder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr int64_t kLimit = 100;

// The server's end of a connection, and the client's.
class Pair {
 public:
  Pair() {
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
  ~Pair() {
    close(client_);
    close(server_);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

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

class LoadShedderTest : public ::testing::Test {
 protected:
  LoadShedderTest() {
    connections_.Add(small_.server(), kSmall);
    connections_.Add(large_.server(), kLarge);
  }

  const OpenConnections::Client kSmall{"10.0.0.1", 1};
  const OpenConnections::Client kLarge{"10.0.0.1", 2};
  Pair small_;
  Pair large_;
  OpenConnections connections_;
  int64_t resident_ = kLimit + 1;
  LoadShedder shedder_{kLimit, [this] { return resident_; }};
};

TEST_F(LoadShedderTest, GivesUpWhoSendsMost) {
  EXPECT_THAT(shedder_.Look(&connections_), IsEmpty()) << "what came before does not count";
  small_.Send(LoadShedder::kReceived + 1);
  large_.Send(3 * LoadShedder::kReceived);
  EXPECT_THAT(shedder_.Look(&connections_), ElementsAre(kLarge));
  small_.Send(LoadShedder::kReceived);
  EXPECT_THAT(shedder_.Look(&connections_), ElementsAre(kSmall));
}

TEST_F(LoadShedderTest, GivesUpWhoeverSendsAboutAsMuch) {
  shedder_.Look(&connections_);
  small_.Send(2 * LoadShedder::kReceived);
  large_.Send(3 * LoadShedder::kReceived);
  EXPECT_THAT(shedder_.Look(&connections_), UnorderedElementsAre(kSmall, kLarge));
  connections_.Remove(large_.server());
  small_.Send(LoadShedder::kReceived);
  large_.Send(LoadShedder::kReceived);
  EXPECT_THAT(shedder_.Look(&connections_), ElementsAre(kSmall));
}

TEST_F(LoadShedderTest, LeavesAloneWhoSendsLittle) {
  shedder_.Look(&connections_);
  large_.Send(LoadShedder::kReceived - 1);
  EXPECT_THAT(shedder_.Look(&connections_), IsEmpty());
}

TEST_F(LoadShedderTest, LeavesAllAloneWhileThereIsMemory) {
  resident_ = kLimit;
  shedder_.Look(&connections_);
  large_.Send(2 * LoadShedder::kReceived);
  EXPECT_THAT(shedder_.Look(&connections_), IsEmpty());
  resident_ = kLimit + 1;
  EXPECT_THAT(shedder_.Look(&connections_), IsEmpty()) << "nobody has sent anything since";
}

TEST_F(LoadShedderTest, KnowsHowLargeTheProcessIs) {
  const int64_t before = LoadShedder::ResidentBytes();
  EXPECT_GT(before, 1 << 20);
  const std::vector<char> more(64 << 20, 'x');
  EXPECT_GT(LoadShedder::ResidentBytes(), before + (32 << 20));
}

// The system does not count what a unix socket has received.
TEST(LoadShedderOfUnixSockets, FindsWhoSendsWithoutAPause) {
  int quiet[2];
  int flooding[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, quiet), 0);
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, flooding), 0);
  OpenConnections connections;
  connections.Add(quiet[0], {"uid=7", 1});
  connections.Add(flooding[0], {"uid=7", 2});
  LoadShedder shedder(kLimit, [] { return kLimit + 1; });
  EXPECT_THAT(shedder.Look(&connections), IsEmpty());
  const std::string text(64 << 10, 'x');
  ASSERT_EQ(write(flooding[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  ASSERT_EQ(write(quiet[1], text.data(), 100), 100);
  EXPECT_THAT(shedder.Look(&connections), ElementsAre(OpenConnections::Client("uid=7", 2)));
  for (const int fd : {quiet[0], quiet[1], flooding[0], flooding[1]}) close(fd);
}

}  // namespace
}  // namespace jobtail
