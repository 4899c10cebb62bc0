// A server whose own log nobody reads: it serves as ever, and says later what it has left out.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <iostream>
#include <string>

#include "tests/faults/faulty_server.h"

namespace jobtail::faults {
namespace {

using ::testing::HasSubstr;

// A named pipe that is full, until it is read.
class FullPipe {
 public:
  explicit FullPipe(const std::string& path) {
    EXPECT_EQ(mkfifo(path.c_str(), 0600), 0) << path;
    fd_ = open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    const std::string filling(4096, '.');
    while (write(fd_, filling.data(), filling.size()) > 0) {
    }
    EXPECT_EQ(errno, EAGAIN);
  }
  ~FullPipe() { close(fd_); }
  FullPipe(const FullPipe&) = delete;
  FullPipe& operator=(const FullPipe&) = delete;

  // What is in it.
  std::string Read() const {
    std::string text;
    std::array<char, 4096> part{};
    for (ssize_t got = 0; (got = read(fd_, part.data(), part.size())) > 0;) {
      text.append(part.data(), static_cast<size_t>(got));
    }
    return text;
  }

 private:
  int fd_ = -1;
};

TEST(UnreadLog, HoldsUpNothing) {
  FaultyServer server([](const std::string& folder) {
    return FaultyServer::Command{"/bin/sh", "-c", "exec \"$@\" 2>\"$0/log\"", folder};
  });
  const FullPipe log(server.directory() + "/log");
  server.Start();
  ASSERT_FALSE(HasFatalFailure());
  // Two messages each time.
  const auto have_it_log = [&server] {
    server.injector().Begin({kAccept, "", EMFILE, 1});
    Answers answers;
    server.Ask(&answers);
    EXPECT_EQ(server.injector().hits(), 1);
  };
  for (int i = 0; i < 20; ++i) have_it_log();
  Answers last;  // with the log still full
  EXPECT_TRUE(Within(kPatience, [&] {
    last = {};
    server.Ask(&last);
    return last.ToString() == "gRPC 0, HTTP 200, /readyz 200";
  })) << last.ToString();
  EXPECT_THAT(log.Read(), ::testing::MatchesRegex("\\.+")) << "the server has found no room";
  const auto took = server.ExpectServed();
  std::cout << "[ MEASURED ] UnreadLog: meanwhile " << last.ToString() << "; served again after "
            << took.count() << " ms\n";
  have_it_log();
  std::string text;
  EXPECT_TRUE(Within(kPatience, [&] {
    text += log.Read();
    return text.find("there are descriptors again") != std::string::npos;
  }));
  EXPECT_THAT(text, HasSubstr("messages were left out"));
}

}  // namespace
}  // namespace jobtail::faults
