// Tests of the context that code finds without being given one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "capture/context.h"
#include "tests/server/run/engine_fixture.h"
#include "tests/server/support/records.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

std::string CurrentId() {
  const std::shared_ptr<JobContext> current = JobContext::Current();
  return current ? current->run_id() : "";
}

// A thread that was there before any run, and does what it is given.
class OldThread {
 public:
  OldThread() {
    thread_ = std::jthread([this] {
      given_.WaitForNotification();
      work_();
    });
  }

  void Do(std::function<void()> work) {
    work_ = std::move(work);
    given_.Notify();
    thread_.join();
  }

 private:
  std::function<void()> work_;
  absl::Notification given_;
  std::jthread thread_;
};

class CurrentRunTest : public testing::EngineTest {};

TEST_F(CurrentRunTest, IsThatOfTheFunctionAndOfThreadsItStarts) {
  std::vector<std::string> seen;
  AddJob(Job("job", [&](JobContext& run) {
    EXPECT_EQ(JobContext::Current().get(), &run);
    seen.push_back(CurrentId());
    std::jthread([&] {
      seen.push_back(CurrentId());
      std::jthread([&] { seen.push_back(CurrentId()); }).join();
    }).join();
  }));
  const std::string run = Start("job");
  AwaitResult(run);
  EXPECT_THAT(seen, ElementsAre(run, run, run));
}

TEST_F(CurrentRunTest, IsThatOfWorkThatIsBoundToIt) {
  OldThread bound;
  OldThread unbound;
  std::string seen = "nothing";
  std::string seen_unbound = "nothing";
  AddJob(Job("job", [&](JobContext&) {
    bound.Do(capture::Bind([&] { seen = CurrentId(); }));
    unbound.Do([&] { seen_unbound = CurrentId(); });
  }));
  const std::string run = Start("job");
  AwaitResult(run);
  EXPECT_EQ(seen, run);
  EXPECT_EQ(seen_unbound, "");
}

TEST_F(CurrentRunTest, IsNullOutsideOfRuns) {
  EXPECT_EQ(JobContext::Current(), nullptr);
  AddJob(Job("job", [](JobContext&) {}));
  AwaitResult(Start("job"));
  EXPECT_EQ(JobContext::Current(), nullptr);
}

TEST_F(CurrentRunTest, IsTheFunctionsOwnWithinAScopeOfItsOwn) {
  struct Nowhere : capture::Sink {
    void Write(std::span<const capture::Line>) noexcept override {}
    bool TryWrite(std::span<const capture::Line>) noexcept override { return true; }
  } nowhere;
  std::string seen;
  AddJob(Job("job", [&](JobContext&) {
    const capture::Scope scope(&nowhere);
    seen = CurrentId();
  }));
  const std::string run = Start("job");
  AwaitResult(run);
  EXPECT_EQ(seen, run);
}

TEST_F(CurrentRunTest, OfManyRunsIsEachOnesOwn) {
  AddJob(Job("job", [](JobContext& run) {
    for (int i = 0; i < 100; ++i) {
      std::jthread([&] { EXPECT_EQ(CurrentId(), run.run_id()); }).join();
    }
  }));
  std::vector<std::string> runs;
  for (int i = 0; i < 8; ++i) runs.push_back(Start("job"));
  for (const std::string& run : runs) {
    EXPECT_EQ(AwaitResult(run).state(), v1::RUN_STATE_SUCCEEDED);
  }
}

// A thread that the function has left behind goes on with a context of a run that has ended.
TEST_F(CurrentRunTest, ThatIsHeldAfterTheEndDoesNothing) {
  absl::Notification ended;
  std::thread left_behind;
  AddJob(Job("job", [&](JobContext&) {
    absl::Notification ready;
    left_behind = std::thread([&ended, &ready] {
      const std::shared_ptr<JobContext> held = JobContext::Current();
      ready.Notify();
      ended.WaitForNotification();
      EXPECT_EQ(JobContext::Current(), nullptr);
      EXPECT_NE(held->run_id(), "");
      held->Progress(0.5, "late");
      held->Print("late\n");
    });
    ready.WaitForNotification();
  }));
  const std::string run = Start("job");
  AwaitClosed(run);
  ended.Notify();
  left_behind.join();
  EXPECT_FALSE(Get(run).has_progress());
  EXPECT_EQ(ReadLog(run).size(), 1);
}

// What text a record has.
std::vector<std::string> TextsOf(const std::vector<v1::LogLine>& records) {
  std::vector<std::string> texts;
  for (const v1::LogLine& line : records) {
    if (line.has_text()) texts.push_back(line.text());
  }
  return texts;
}

TEST_F(CurrentRunTest, PrintsWholeLinesFromAnyThread) {
  OldThread old;
  AddJob(Job("job", [&](JobContext& run) {
    run.Print("one\ntwo");
    old.Do([&] { run.Print("three\n", capture::Stream::kStderr); });
    run.Print("");
    puts("four");
  }));
  const std::vector<v1::LogLine> records = AwaitLog(Start("job"));
  EXPECT_THAT(TextsOf(records), ElementsAre("one", "two", "three", "four"));
  for (const v1::LogLine& line : records) {
    if (line.has_text()) {
      EXPECT_EQ(line.ending(), v1::ENDING_LF);
    }
    if (line.text() == "three") {
      EXPECT_EQ(line.stream(), v1::STREAM_STDERR);
    }
  }
}

TEST_F(CurrentRunTest, PrintsTextsOfSeveralThreadsWithoutTearingLines) {
  AddJob(Job("job", [](JobContext& run) {
    std::vector<std::jthread> threads;
    for (const char c : {'a', 'b', 'c', 'd'}) {
      threads.emplace_back([&run, c] {
        for (int i = 0; i < 100; ++i) run.Print(std::string(50, c) + "\n");
      });
    }
  }));
  const std::vector<std::string> texts = TextsOf(AwaitLog(Start("job")));
  EXPECT_EQ(texts.size(), 400);
  for (const std::string& text : texts) EXPECT_EQ(text, std::string(50, text.front()));
}

}  // namespace
}  // namespace jobtail
