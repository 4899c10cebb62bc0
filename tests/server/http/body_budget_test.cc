// Bodies of requests that clients do not finish.

#include <gmock/gmock.h>

#include <string>

#include "server/http/http_server.h"
#include "tests/e2e/http_client.h"
#include "tests/server/run/engine_fixture.h"
#include "tests/support/observe.h"

namespace jobtail::http {
namespace {

using e2e::HttpClient;
using jobtail::testing::Eventually;
using ::testing::HasSubstr;

class BodyBudget : public jobtail::testing::EngineTest {
 protected:
  BodyBudget() {
    EXPECT_TRUE(server_.Listen().ok());
    server_.Start();
  }
  ~BodyBudget() override { server_.Stop(absl::ZeroDuration()); }

  // Sends the beginning of a request with a larger body.
  static void SendPart(HttpClient* client, size_t bytes) {
    client->SendBytes(
        "POST /v1/runs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        "Content-Length: 1000000\r\n\r\n" +
        std::string(bytes, ' '));
  }

  bool Reserves(size_t bytes) {
    return Eventually([&] { return budget_.reserved() == bytes; });
  }
  // For a body of so many bytes, and the buffer that it comes through.
  bool ReservesBody(size_t bytes) {
    return Eventually([&] { return budget_.reserved() > bytes; });
  }

  ByteBudget budget_{{.connection = 128 << 10, .address = 160 << 10, .total = 1 << 20}};
  StorePool pool_;
  HttpServer server_{&engine_, &pool_, &budget_, HttpOptions{.address = "127.0.0.1:0"}};
};

TEST_F(BodyBudget, AConnectionThatSendsTooMuchIsRefused) {
  HttpClient greedy(server_.url());
  SendPart(&greedy, 200 << 10);
  const e2e::HttpAnswer answer = greedy.ReadAnswer();
  EXPECT_EQ(answer.status, 429);
  EXPECT_THAT(answer.body, HasSubstr("this connection"));
  EXPECT_TRUE(Reserves(0));
}

TEST_F(BodyBudget, AnAddressWithUnfinishedRequestsIsRefusedUntilTheyAreGone) {
  HttpClient later(server_.url());
  {
    HttpClient first(server_.url());
    SendPart(&first, 90 << 10);
    ASSERT_TRUE(ReservesBody(90 << 10));
    HttpClient second(server_.url());
    SendPart(&second, 90 << 10);
    EXPECT_EQ(second.ReadAnswer().status, 429);
    EXPECT_EQ(later.Get("/v1/jobs").status, 200) << "small ones find room";
  }
  ASSERT_TRUE(Reserves(0));
  EXPECT_EQ(later.Post("/v1/runs", R"({"job":"none"})" + std::string(60 << 10, ' ')).status, 404);
  EXPECT_TRUE(Reserves(0));
}

}  // namespace
}  // namespace jobtail::http
