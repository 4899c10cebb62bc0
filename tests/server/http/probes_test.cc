// What operators ask is answered whatever hangs in the store.

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "server/access/access_control.h"
#include "server/http/http_server.h"
#include "server/metrics/health.h"
#include "tests/e2e/http_client.h"
#include "tests/server/run/engine_fixture.h"
#include "tests/server/support/temporary_directory.h"
#include "tests/support/fake_clock.h"

namespace jobtail::http {
namespace {

using e2e::HttpClient;
using ::testing::HasSubstr;

class ProbesTest : public jobtail::testing::EngineTest {
 protected:
  // What is read is asked of the store each time.
  ProbesTest() : EngineTest(EngineOptions{.cache_bytes = 0}) {
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
  // The thread that is left to other addresses may answer it in between.
  auto ready = probe.Get("/readyz");
  for (; ready.status != 503; ready = probe.Get("/readyz")) clock_.Advance(Health::kPatience);
  EXPECT_THAT(ready.body, HasSubstr("has not answered"));
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

// --- Where those who probe say who they are

// A base, so that it is there before the engine.
struct WithAccess {
  WithAccess() {
    const std::string file = directory_.path() + "/access.txt";
    std::ofstream(file) << R"(
      probes_need_identity: true
      role { name: "monitor" allow { job: "*" verb: METRICS } }
      grant { role: "monitor" anonymous: true })";
    chmod(file.c_str(), 0600);
    auto access = access::AccessControl::Open(file);
    EXPECT_TRUE(access.ok()) << access.status();
    if (access.ok()) access_ = *std::move(access);
  }

  const jobtail::testing::TemporaryDirectory directory_;
  std::unique_ptr<access::AccessControl> access_;
};

class KnownProbesTest : private WithAccess, public jobtail::testing::EngineTest {
 protected:
  KnownProbesTest() : EngineTest(EngineOptions{.access = access_.get()}) {
    EXPECT_TRUE(server_.Listen().ok());
    server_.Start();
  }
  ~KnownProbesTest() override {
    if (!end_.HasBeenNotified()) end_.Notify();
    server_.Stop(absl::ZeroDuration());
  }

  absl::Notification begun_;
  absl::Notification end_;
  ByteBudget budget_{{}};
  StorePool pool_;
  HttpServer server_{&engine_, &pool_, &budget_,
                     HttpOptions{.address = "127.0.0.1:0",
                                 .metrics =
                                     [this](const access::Caller&, std::string* text) {
                                       begun_.Notify();
                                       end_.WaitForNotification();
                                       *text = "figures\n";
                                       return absl::OkStatus();
                                     },
                                 .health = [] { return absl::OkStatus(); }}};
};

TEST_F(KnownProbesTest, AreAnsweredWhileFiguresHang) {
  HttpClient scraper(server_.url());
  scraper.Send("GET", "/metrics");
  begun_.WaitForNotification();
  HttpClient probe(server_.url());
  EXPECT_EQ(probe.Get("/healthz").body, "ok\n");
  EXPECT_EQ(probe.Get("/readyz").body, "ok\n");
  end_.Notify();
  EXPECT_EQ(scraper.ReadAnswer().body, "figures\n");
}

TEST_F(KnownProbesTest, AreAnsweredWhileAllThreadsOfThePoolHang) {
  absl::BlockingCounter hanging(StorePool::kThreads);
  for (int i = 0; i < StorePool::kThreads; ++i) {
    pool_.Run("address " + std::to_string(i), [&] {
      hanging.DecrementCount();
      end_.WaitForNotification();
    });
  }
  hanging.Wait();
  HttpClient probe(server_.url());
  EXPECT_EQ(probe.Get("/healthz").body, "ok\n");
  EXPECT_EQ(probe.Get("/readyz").body, "ok\n");
}

}  // namespace
}  // namespace jobtail::http
