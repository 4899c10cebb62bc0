// Tests of bounds: of time, of size, and of being told to give up.
#include "base/fetch/fetch.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace jobtail {
namespace {

using ::testing::HasSubstr;

// Answers one request with what it is told to; an empty answer never comes.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : answer_(std::move(answer)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    url_ = absl::StrCat("http://127.0.0.1:", ntohs(address.sin_port), "/x");
    thread_ = std::thread([this] { Serve(); });
  }
  ~OneAnswer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }

  const std::string& url() const { return url_; }
  // Once the client is gone.
  const std::string& request() const { return request_; }

 private:
  void Serve() {
    const int client = accept(listener_, nullptr, nullptr);
    if (client < 0) return;
    char buffer[4096];
    ssize_t count = recv(client, buffer, sizeof(buffer), 0);
    if (count > 0) request_.assign(buffer, static_cast<size_t>(count));
    size_t sent = 0;
    while (sent < answer_.size()) {
      const ssize_t part = send(client, answer_.data() + sent, answer_.size() - sent, MSG_NOSIGNAL);
      if (part <= 0) break;
      sent += static_cast<size_t>(part);
    }
    if (!answer_.empty()) shutdown(client, SHUT_WR);
    while (recv(client, buffer, sizeof(buffer), 0) > 0) {
    }
    close(client);
  }

  const std::string answer_;
  const int listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::string url_;
  std::string request_;
  std::thread thread_;
};

TEST(FetchTest, AnAnswerIsReadWhole) {
  OneAnswer server("HTTP/1.1 404 No\r\nConnection: close\r\n\r\nhello");
  Fetcher fetcher;
  const auto answer = fetcher.Fetch({.url = server.url()});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status, 404);
  EXPECT_EQ(answer->body, "hello");
}

TEST(FetchTest, ARedirectIsNotFollowed) {
  OneAnswer server("HTTP/1.1 302 Go\r\nLocation: http://127.0.0.1:1/\r\nConnection: close\r\n\r\n");
  Fetcher fetcher;
  EXPECT_EQ(fetcher.Fetch({.url = server.url()})->status, 302);
}

TEST(FetchTest, AnAnswerWithoutEndIsCutOff) {
  OneAnswer server("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + std::string(20 << 20, 'x'));
  Fetcher fetcher;
  const auto answer = fetcher.Fetch({.url = server.url(), .max_bytes = 1000});
  EXPECT_THAT(std::string(answer.status().message()), HasSubstr("exceeds 1000 bytes"));
}

TEST(FetchTest, AnAnswerThatDoesNotComeIsNotAwaited) {
  OneAnswer server("");
  Fetcher fetcher;
  const auto answer = fetcher.Fetch({.url = server.url(), .timeout = absl::Milliseconds(300)});
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kUnavailable) << answer.status();
}

TEST(FetchTest, IsGivenUpWhenToldSo) {
  OneAnswer server("");
  Fetcher fetcher;
  std::thread other([&] { fetcher.Cancel(); });
  const absl::Time begin = absl::Now();
  EXPECT_EQ(fetcher.Fetch({.url = server.url(), .timeout = absl::Minutes(2)}).status().code(),
            absl::StatusCode::kCancelled);
  EXPECT_LT(absl::Now() - begin, absl::Seconds(30));
  other.join();
}

TEST(FetchTest, NothingIsSentWhereItWouldBeSeen) {
  Fetcher fetcher;
  EXPECT_EQ(fetcher.Fetch({.url = "http://192.0.2.1/"}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace jobtail
