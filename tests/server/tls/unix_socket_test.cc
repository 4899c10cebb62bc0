// Sockets at paths: who may connect, what is replaced, what is left.

#include "server/tls/unix_socket.h"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "tests/server/support/temporary_directory.h"
#include "tests/support/observe.h"

namespace jobtail {
namespace {

using jobtail::testing::TemporaryDirectory;
using jobtail::testing::WriteFile;
using ::testing::HasSubstr;

class UnixSocketTest : public ::testing::Test {
 protected:
  mode_t Mode() const {
    struct stat status {};
    EXPECT_EQ(lstat(path_.c_str(), &status), 0);
    EXPECT_TRUE(S_ISSOCK(status.st_mode));
    return status.st_mode & 07777;
  }

  // What Listen says; "" if it listens.
  std::string Problem(const SocketAccess& access = {}) const {
    const auto socket = UnixSocket::Listen(path_, access);
    return socket.ok() ? "" : std::string(socket.status().message());
  }

  // A connection that is open, or -1.
  int Connect() const {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
    close(fd);
    return -1;
  }

  TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/server.sock";
};

TEST(UnixPath, IsReadInBothForms) {
  EXPECT_EQ(UnixPathOf("unix:/run/x"), "/run/x");
  EXPECT_EQ(UnixPathOf("unix:///run/x"), "/run/x");
  EXPECT_EQ(UnixPathOf("unix:x"), "x");
  EXPECT_EQ(UnixPathOf("127.0.0.1:1"), std::nullopt);
}

TEST_F(UnixSocketTest, IsTheOwnersAloneWhateverTheUmask) {
  const mode_t before = umask(0);
  const auto socket = UnixSocket::Listen(path_, {});
  umask(before);
  ASSERT_TRUE(socket.ok()) << socket.status();
  EXPECT_EQ(Mode(), 0600);
}

TEST_F(UnixSocketTest, IsAGroupsToo) {
  const auto socket = UnixSocket::Listen(path_, {.group = std::to_string(getgid()), .mode = {}});
  ASSERT_TRUE(socket.ok()) << socket.status();
  EXPECT_EQ(Mode(), 0660);
  EXPECT_EQ(std::filesystem::exists(path_), true);
}

TEST_F(UnixSocketTest, HasTheModeThatIsWanted) {
  const mode_t before = umask(077);
  const auto socket = UnixSocket::Listen(path_, {.group = "", .mode = 0666});
  umask(before);
  ASSERT_TRUE(socket.ok()) << socket.status();
  EXPECT_EQ(Mode(), 0666);
}

TEST_F(UnixSocketTest, WantsAGroupThatThereIs) {
  EXPECT_THAT(Problem({.group = "no-such-group", .mode = {}}),
              HasSubstr("there is no group \"no-such-group\""));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(UnixSocketTest, TakesTheFileAwayAtTheEnd) {
  { const auto socket = UnixSocket::Listen(path_, {}); }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(UnixSocketTest, LeavesAnothersFileAtTheEnd) {
  {
    auto socket = UnixSocket::Listen(path_, {});
    ASSERT_TRUE(socket.ok());
    unlink(path_.c_str());
    WriteFile(path_, "another's");
  }
  EXPECT_EQ(jobtail::testing::ReadFile(path_), "another's");
}

TEST_F(UnixSocketTest, ReplacesWhatADeadServerHasLeft) {
  const int dead = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  close(dead);
  EXPECT_EQ(Problem(), "");
}

TEST_F(UnixSocketTest, LeavesALiveServerAlone) {
  auto first = UnixSocket::Listen(path_, {});
  ASSERT_TRUE(first.ok());
  EXPECT_THAT(Problem(), HasSubstr("a server listens there already"));
  const int client = Connect();
  EXPECT_GE(client, 0) << "the first goes on";
  close(client);
}

TEST_F(UnixSocketTest, LeavesWhatIsNoSocketAlone) {
  WriteFile(path_, "precious");
  EXPECT_THAT(Problem(), HasSubstr("something else than a socket"));
  EXPECT_EQ(jobtail::testing::ReadFile(path_), "precious");
}

TEST_F(UnixSocketTest, SaysWhatIsWrongWithAPath) {
  const auto problem = [](const std::string& path) {
    return std::string(UnixSocket::Listen(path, {}).status().message());
  };
  EXPECT_THAT(problem(""), HasSubstr("give unix:PATH"));
  EXPECT_THAT(problem("/tmp/" + std::string(200, 'x')), HasSubstr("at most 107 bytes"));
  EXPECT_THAT(problem("/nowhere/x.sock"), HasSubstr("its folder is not there"));
}

TEST_F(UnixSocketTest, TellsWhoHasConnected) {
  auto listening = UnixSocket::Listen(path_, {});
  ASSERT_TRUE(listening.ok());
  const int client = Connect();
  const int server = accept(listening->Release(), nullptr, nullptr);
  ASSERT_GE(server, 0) << strerror(errno);
  const PeerIdentity peer = IdentityOfSocket(server);
  EXPECT_EQ(peer.kind, PeerIdentity::Kind::kSocket);
  EXPECT_EQ(peer.uid, getuid());
  EXPECT_EQ(peer.gid, getgid());
  EXPECT_EQ(peer.pid, getpid());
  EXPECT_TRUE(peer.is_private);
  close(client);
  close(server);
}

}  // namespace
}  // namespace jobtail
