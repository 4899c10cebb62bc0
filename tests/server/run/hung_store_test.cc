// A store that hangs in one call: what does not need it goes on.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "server/log/cursor.h"
#include "server/run/request_ids.h"
#include "tests/server/run/engine_fixture.h"
#include "tests/server/support/stored_runs.h"

namespace jobtail {
namespace {

using testing::Gate;
using ::testing::HasSubstr;

class HungStore : public testing::ClockedEngineTest {
 protected:
  explicit HungStore(const EngineOptions& options = {}) : ClockedEngineTest(options) {
    AddJob(Job("job", [](JobContext&) {}).With(Parameter::String("text").Default("")));
    AddJob(Job("heeds", [this](JobContext& run) {
      at_work_.Notify();
      run.SleepFor(absl::InfiniteDuration());
    }));
  }
  // While the jobs have what they use.
  ~HungStore() override { engine_.Stop(absl::InfiniteDuration()); }

  // The next run is stored, and its creation then hangs at the gate.
  void HangInCreation() {
    store_.AfterNext(Call::kPutRun, [this] { gate_.Pass(); });
  }

  // A run that has ended and keeps no log in memory. No others can be created any more.
  std::string EndedRun() {
    const std::string run = Start("job");
    AwaitResult(run);
    engine_.Stop(absl::InfiniteDuration());
    return run;
  }

  absl::StatusOr<std::unique_ptr<Cursor>> Tail(const std::string& run) {
    v1::TailLogRequest request;
    request.set_run(run);
    return engine_.TailLog(request);
  }

  size_t Runs() { return static_cast<size_t>(engine_.ListRuns({})->runs_size()); }

  Gate gate_;
  absl::Notification at_work_;
};

TEST_F(HungStore, ThatIsAskedForALogKeepsNobodyFromSeeingRuns) {
  const auto watch = engine_.WatchRuns({});
  ASSERT_TRUE(watch.ok()) << watch.status();
  const std::string run = EndedRun();
  store_.Block(Call::kGetExtent);
  {
    std::jthread reader([&] { EXPECT_TRUE(Tail(run).ok()); });
    store_.AwaitBlocked(Call::kGetExtent);
    EXPECT_EQ(Get(run).state(), v1::RUN_STATE_SUCCEEDED);
    EXPECT_EQ(engine_.ListRuns({})->runs_size(), 1);
    std::optional<v1::Run> last;
    while (const auto seen = (*watch)->Next()) last = seen;
    ASSERT_TRUE(last.has_value());
    EXPECT_EQ(last->state(), v1::RUN_STATE_SUCCEEDED);
    EXPECT_EQ(engine_.CountRuns().size(), 1);
    EXPECT_TRUE(Cancel(run).ok());
    store_.Unblock(Call::kGetExtent);
  }
}

TEST_F(HungStore, MayDeleteALogWhileItIsOpened) {
  const std::string run = EndedRun();
  store_.AfterNext(Call::kGetExtent, [&] { EXPECT_TRUE(Delete(run).ok()); });
  const auto cursor = Tail(run);
  std::vector<Slice> slices;
  const absl::Status read =
      cursor.ok() ? (*cursor)->Read(1 << 20, &slices).status() : cursor.status();
  EXPECT_TRUE(absl::IsNotFound(read)) << read;
}

TEST_F(HungStore, InOneCreationTakesOtherRuns) {
  HangInCreation();
  std::jthread first([this] { EXPECT_TRUE(Create("job").ok()); });
  gate_.AwaitArrival();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(Create("job", {}, "id").ok());
  EXPECT_EQ(Runs(), 1) << "nobody sees a run that is not created yet";
  gate_.Open();
  first.join();
  EXPECT_EQ(Runs(), 2);
}

TEST_F(HungStore, ARepeatedRequestWaitsForTheFirst) {
  HangInCreation();
  std::vector<std::string> ids(3);
  {
    std::jthread first([&] { ids[0] = Create("job", {}, "id")->id(); });
    gate_.AwaitArrival();
    EXPECT_TRUE(absl::IsInvalidArgument(Create("job", {{"text", "other"}}, "id").status()))
        << "another request need not wait";
    std::jthread second([&] { ids[1] = Create("job", {}, "id")->id(); });
    std::jthread third([&] { ids[2] = Create("job", {}, "id")->id(); });
    gate_.Open();
  }
  EXPECT_FALSE(ids[0].empty());
  EXPECT_EQ(ids[1], ids[0]);
  EXPECT_EQ(ids[2], ids[0]);
  EXPECT_EQ(Runs(), 1);
}

TEST_F(HungStore, ARepeatedRequestDoesNotWaitForEver) {
  HangInCreation();
  std::string run;
  std::jthread first([&] { run = Create("job", {}, "id")->id(); });
  gate_.AwaitArrival();
  std::atomic<bool> answered = false;
  std::jthread second([&] {
    const absl::Status refusal = Create("job", {}, "id").status();
    EXPECT_TRUE(absl::IsUnavailable(refusal)) << refusal;
    EXPECT_THAT(std::string(refusal.message()), HasSubstr("try again with the same one"));
    answered = true;
  });
  while (!answered) {
    clock_.Advance(RequestIds::kPatience);
    std::this_thread::yield();
  }
  gate_.Open();
  first.join();
  EXPECT_EQ(Create("job", {}, "id")->id(), run);
}

TEST_F(HungStore, ARequestIdIsFreeAgainIfItsRunIsRefused) {
  store_.Block(Call::kPutRun);
  std::string run;
  {
    std::jthread first([this] { EXPECT_FALSE(Create("job", {}, "id").ok()); });
    store_.AwaitBlocked(Call::kPutRun);
    std::jthread second([&] { run = Create("job", {}, "id")->id(); });
    store_.Fail(Call::kPutRun, absl::UnavailableError("no"), 1);
    store_.Unblock(Call::kPutRun);
  }
  EXPECT_FALSE(run.empty());
  EXPECT_EQ(Create("job", {}, "id")->id(), run);
  EXPECT_EQ(Runs(), 1);
}

TEST_F(HungStore, DoesNotKeepRunsFromBeingStopped) {
  const std::string heeds = Start("heeds");
  at_work_.WaitForNotification();
  HangInCreation();
  std::jthread creation([this] {
    const absl::Status refusal = Create("job", {}, "id").status();
    EXPECT_TRUE(absl::IsUnavailable(refusal)) << refusal;
  });
  gate_.AwaitArrival();
  EXPECT_EQ(engine_.Stop(absl::InfiniteDuration()), 0);
  EXPECT_EQ(Get(heeds).state(), v1::RUN_STATE_CANCELLED);
  gate_.Open();
  creation.join();
  EXPECT_EQ(Runs(), 1);
  EXPECT_EQ(testing::LoadRuns(memory_)->size(), 1) << "nothing is left of a run that was refused";
}

TEST_F(HungStore, KeepsNoQueuedRunFromBeingStarted) {
  std::atomic<int> executed = 0;
  AddJob(Job("queued",
             [&](JobContext& run) {
               ++executed;
               run.SleepFor(absl::InfiniteDuration());
             })
             .MaxRunning(1)
             .MaxQueued(2));
  const std::string first = Start("queued");
  const std::string refused = Start("queued");
  const std::string next = Start("queued");
  store_.Block(Call::kAppend, refused);
  Cancel(refused).IgnoreError();
  store_.AwaitBlocked(Call::kAppend);
  Cancel(first).IgnoreError();
  AwaitResult(first);
  while (executed < 2) std::this_thread::yield();
  EXPECT_EQ(Get(refused).state(), v1::RUN_STATE_PENDING);
  store_.Unblock(Call::kAppend);
  EXPECT_EQ(AwaitResult(refused).state(), v1::RUN_STATE_CANCELLED);
  Cancel(next).IgnoreError();
  AwaitResult(next);
  engine_.Stop(absl::InfiniteDuration());
}

}  // namespace
}  // namespace jobtail
