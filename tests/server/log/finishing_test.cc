// When the end of a log is stored, and told.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/log/log.h"
#include "tests/server/log/log_fixture.h"

namespace jobtail {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using testing::FaultyStore;
using ::testing::Field;
using ::testing::IsFalse;
using testing::kHour;
using testing::Numbers;
using testing::Out;
using testing::ReadToEnd;
using testing::Sequences;
using testing::Texts;

class Finishing : public testing::LogTest {};

TEST_F(Finishing, WaitsForTheStore) {
  const auto log = MakeLog();
  store_.Block(Call::kAppend);
  std::atomic<bool> concluded = false;
  std::jthread job([&] {
    log->Finish({}, [&](const v1::RunResult&) {
      concluded = true;
      return v1::Run();
    });
  });
  store_.AwaitBlocked(Call::kAppend);
  EXPECT_FALSE(concluded);
  EXPECT_FALSE(log->GetSnapshot().ended);
  store_.Unblock(Call::kAppend);
  job.join();
  EXPECT_TRUE(concluded);
  EXPECT_TRUE(log->GetSnapshot().ended);
}

TEST_F(Finishing, WaitsForLinesThatAreBeingStored) {
  const auto log = MakeLog();
  store_.Block(Call::kAppend);
  std::jthread printing([&] { log->Append({Out("one", kHour)}); });
  store_.AwaitBlocked(Call::kAppend);
  std::jthread ending([&] { Finish(*log); });
  for (int i = 0; i < 10'000; ++i) std::this_thread::yield();  // enough to make the mistake
  EXPECT_EQ(store_.count(Call::kAppend), 1) << "one call at a time";
  store_.Unblock(Call::kAppend);
  EXPECT_THAT(Texts(ReadToEnd(log)), ElementsAre("one", "result"));
}

TEST_F(Finishing, KeepsTryingAndStoresTheResultOnce) {
  const auto log = MakeLog(Collecting());
  log->Append({Out("alone", kHour), Out("two", kHour)});
  log->Append({Out("three", kHour)});
  store_.Fail(Call::kAppend, kBusy, 2);
  const PassingTime passing(&clock_);
  int concluded = 0;
  log->Finish({}, [&](const v1::RunResult&) {
    ++concluded;
    return v1::Run();
  });
  EXPECT_EQ(concluded, 1);
  EXPECT_THAT(Texts(ReadToEnd(log)), ElementsAre("alone", "two", "three", "result"));
}

TEST_F(Finishing, TakesOverFromAStoreThatWasFailing) {
  const auto log = MakeLog();
  store_.Fail(Call::kAppend, kBusy, kForEver);
  for (int i = 1; i <= 10; ++i) log->Append({Out("line", i * kHour)});
  const PassingTime passing(&clock_);
  std::jthread ending([&] { Finish(*log); });
  store_.AwaitCount(Call::kAppend, 3);
  store_.Mend(Call::kAppend);
  EXPECT_EQ(Sequences(ReadToEnd(log)), Numbers(1, 11));
  ending.join();
  EXPECT_EQ(store_.appended().size(), 1);
}

TEST_F(Finishing, OnlyTheResultAsksForMoreThanTheStoreDoesAnyway) {
  const auto log = MakeLog();
  for (int i = 1; i <= 3; ++i) log->Append({Out("line", i * kHour)});
  Finish(*log);
  std::vector<FaultyStore::Appended> appended = store_.appended();
  ASSERT_EQ(appended.size(), 4);
  EXPECT_TRUE(appended.back().sync);
  appended.pop_back();
  EXPECT_THAT(appended, Each(Field(&FaultyStore::Appended::sync, IsFalse())));
}

TEST_F(Finishing, TheResultIsToldAfterTheStoreHasItAndBeforeAnyReaderSeesIt) {
  const auto log = MakeLog();
  log->Append({Out("one", kHour)});
  std::vector<std::string> order;
  int64_t id;
  ASSERT_TRUE(log->Wait(
      2, 0, [&] { order.emplace_back("seen"); }, &id));
  log->Finish({}, [&](const v1::RunResult&) {
    order.push_back(absl::StrCat("told, and the store has ", memory_.GetExtent("run")->last));
    return v1::Run();
  });
  EXPECT_THAT(order, ElementsAre("told, and the store has 2", "seen"));
}

}  // namespace
}  // namespace jobtail
