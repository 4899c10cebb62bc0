// Connections of the HTTP door: those that go before they are answered, and the door's own end.

#include "server/http/http_server.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <thread>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "tests/e2e/http_client.h"
#include "tests/server/run/engine_fixture.h"
#include "tests/support/passing_time.h"

namespace jobtail::http {
namespace {

using e2e::HttpClient;
using ::testing::HasSubstr;

class HttpServerTest : public jobtail::testing::ClockedEngineTest {
 protected:
  HttpServerTest() {
    AddJob(Job("hello", [](JobContext&) { puts("hello"); }));
    EXPECT_TRUE(server_.Listen().ok());
    server_.Start();
  }
  ~HttpServerTest() override {
    if (!plug_.HasBeenNotified()) plug_.Notify();
    server_.Stop(absl::ZeroDuration());
  }

  // Keeps all threads of the pool busy until plug_ is notified.
  void PlugPool() {
    absl::BlockingCounter begun(StorePool::kThreads);
    for (int i = 0; i < StorePool::kThreads; ++i) {
      pool_.Run("plug " + std::to_string(i), [this, &begun] {
        begun.DecrementCount();
        plug_.WaitForNotification();
      });
    }
    begun.Wait();
  }

  int CountRuns() { return engine_.ListRuns({})->runs_size(); }

  absl::Notification plug_;
  StorePool pool_;
  ByteBudget budget_{{}};
  HttpServer server_{&engine_, &pool_, &budget_, HttpOptions{.address = "127.0.0.1:0"}};
};

TEST_F(HttpServerTest, StartsNoRunForAClientThatHasGone) {
  PlugPool();
  for (const bool in_page : {false, true}) {
    HttpClient client(server_.url());
    if (in_page) {
      client.Send("POST", "/stream/hello",
                  {{"Origin", server_.url().substr(0, server_.url().size() - 1)}});
    } else {
      client.Send("POST", "/v1/jobs/hello:run", {{"Content-Type", "application/json"}}, "{}");
    }
    const int64_t queued = in_page ? 2 : 1;
    while (pool_.waiting() < queued) std::this_thread::yield();
  }  // gone
  HttpClient other(server_.url());
  EXPECT_EQ(other.Get("/healthz").status, 200) << "which the event loop sees after they have gone";
  plug_.Notify();
  while (server_.stats().connections > 1) std::this_thread::yield();
  EXPECT_EQ(CountRuns(), 0);
  EXPECT_EQ(other.Post("/v1/jobs/hello:run", "{}").body, "hello\n");
  EXPECT_EQ(CountRuns(), 1);
}

TEST_F(HttpServerTest, ChoosesAmongAllThatIsAccepted) {
  HttpClient client(server_.url());
  const std::string run = Start("hello");
  AwaitLog(run);
  const e2e::HttpAnswer answer = client.Get(
      "/v1/runs/" + run + "/log", {{"Accept", "text/html"}, {"Accept", "application/x-ndjson"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.header, HasSubstr("application/x-ndjson"));
}

TEST_F(HttpServerTest, RefusesASecondPlaceToGoOnFrom) {
  const std::string run = Start("hello");
  AwaitLog(run);
  const e2e::HttpAnswer answer =
      HttpClient(server_.url())
          .Get("/v1/runs/" + run + "/log", {{"Last-Event-ID", "1"}, {"Last-Event-ID", "2"}});
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("there is more than one Last-Event-ID; give one"));
}

TEST_F(HttpServerTest, StopsInTimeThoughTheClockIsSetBack) {
  PlugPool();
  HttpClient client(server_.url());
  client.Send("GET", "/v1/runs");  // does not get its answer in time
  while (pool_.waiting() < 1) std::this_thread::yield();
  std::thread stopping([this] { server_.Stop(absl::Hours(1)); });
  clock_.SetForward(-absl::Hours(5));
  {
    const PassingTime passing(&clock_, absl::Minutes(1));
    EXPECT_TRUE(client.AwaitClose()) << "once the grace has passed";
  }
  plug_.Notify();
  stopping.join();
}

}  // namespace
}  // namespace jobtail::http
