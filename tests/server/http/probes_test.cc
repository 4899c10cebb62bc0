// What operators ask is answered whatever hangs in the store.

#include <gmock/gmock.h>

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "server/http/http_server.h"
#include "server/metrics/health.h"
#include "tests/e2e/http_client.h"
#include "tests/server/run/engine_fixture.h"
#include "tests/support/fake_clock.h"

namespace jobtail::http {
namespace {

using e2e::HttpClient;
using ::testing::HasSubstr;

class ProbesTest : public jobtail::testing::EngineTest {
 protected:
  ProbesTest() {
    AddJob(Job("hello", [](JobContext&) { puts("hello"); }));
    server_ = std::make_unique<HttpServer>(
        &engine_, &pool_, &budget_,
        HttpOptions{.address = "127.0.0.1:0",
                    .metrics =
                        [this](const access::Caller&, std::string* text) {
                          *text = std::to_string(engine_.CountRuns().size());
                          return absl::OkStatus();
                        },
                    .health = [this] { return health_.Get(); }});
    EXPECT_TRUE(server_->Listen().ok());
    server_->Start();
  }
  ~ProbesTest() override { server_->Stop(absl::ZeroDuration()); }

  FakeClock clock_;
  ByteBudget budget_{{}};
  StorePool pool_;
  Health health_{[this] { return engine_.CheckHealth(); },
                 [this](auto check) { pool_.Run("health", std::move(check)); }, [](bool) {},
                 &clock_};
  std::unique_ptr<HttpServer> server_;
};

TEST_F(ProbesTest, AreAnsweredWhileAllCallsHang) {
  store_.Block(Call::kPutRun);
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<HttpClient>(server_->url()));
    clients.back()->Send("POST", "/v1/runs", {{"Content-Type", "application/json"}},
                         R"({"job":"hello"})");
  }
  pool_.Run("another address", [this] { Create("hello").IgnoreError(); });
  store_.AwaitBlocked(Call::kPutRun);
  while (pool_.waiting() < 4) std::this_thread::yield();
  HttpClient probe(server_->url());
  EXPECT_EQ(probe.Get("/healthz").body, "ok\n");
  EXPECT_EQ(probe.Get("/readyz").body, "ok\n") << "for some seconds";
  EXPECT_EQ(probe.Get("/metrics").body, "0");
  clock_.Advance(Health::kPatience + Health::kInterval);  // which has the store asked
  clock_.Advance(Health::kPatience);
  while (probe.Get("/readyz").status != 503) clock_.Advance(Health::kPatience);
  EXPECT_THAT(probe.Get("/readyz").body, HasSubstr("has not answered"));
  EXPECT_EQ(probe.Get("/healthz").status, 200);
  store_.Unblock(Call::kPutRun);
  for (const auto& client : clients) EXPECT_EQ(client->ReadAnswer().status, 200);
  while (probe.Get("/readyz").status != 200) std::this_thread::yield();
}

TEST_F(ProbesTest, TellOfAStoreThatHangsWhenItIsAskedHowItIs) {
  store_.Block(Call::kCheckHealth);
  clock_.Advance(Health::kInterval);
  store_.AwaitBlocked(Call::kCheckHealth);
  HttpClient probe(server_->url());
  clock_.Advance(Health::kPatience);
  EXPECT_EQ(probe.Get("/readyz").status, 503);
  EXPECT_EQ(probe.Get("/metrics").status, 200);
  store_.Unblock(Call::kCheckHealth);
  while (probe.Get("/readyz").status != 200) std::this_thread::yield();
}

TEST_F(ProbesTest, ASearchThatHangsKeepsNobodyWaiting) {
  const std::string run = Start("hello");
  AwaitClosed(run);
  store_.Block(Call::kRead, run);
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (int i = 0; i < 2; ++i) {
    clients.push_back(std::make_unique<HttpClient>(server_->url()));
    clients.back()->Send("GET", "/v1/runs/" + run + "/log?pattern=x");
  }
  store_.AwaitBlocked(Call::kRead);
  EXPECT_EQ(HttpClient(server_->url()).Get("/v1/runs/" + run).status, 200);
  store_.Unblock(Call::kRead);
}

}  // namespace
}  // namespace jobtail::http
