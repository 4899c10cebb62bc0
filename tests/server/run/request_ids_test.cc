// What a request id stands for, and what a run still has of its request.

#include "server/run/request_ids.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "tests/server/run/engine_fixture.h"
#include "tests/support/fake_clock.h"

namespace jobtail {
namespace {

RequestIds::Digest DigestOf(const std::string& job, const testing::Parameters& parameters) {
  return RequestIds::DigestOf(job, {parameters.begin(), parameters.end()});
}

TEST(RequestIdsTest, TellRequestsApart) {
  const auto digest = DigestOf("job", {{"a", "1"}, {"b", "2"}});
  EXPECT_EQ(DigestOf("job", {{"b", "2"}, {"a", "1"}}), digest);
  EXPECT_NE(DigestOf("other", {{"a", "1"}, {"b", "2"}}), digest);
  EXPECT_NE(DigestOf("job", {{"a", "2"}, {"b", "1"}}), digest);
  EXPECT_NE(DigestOf("job", {{"a", "1"}}), digest);
  EXPECT_NE(DigestOf("job", {{"ab", "c"}}), DigestOf("job", {{"a", "bc"}}));
  EXPECT_NE(DigestOf("job", {}), DigestOf("jo", {{"b", ""}}));
}

TEST(RequestIdsTest, AreTheirOwnersOwn) {
  FakeClock clock;
  RequestIds ids(&clock);
  const auto digest = DigestOf("job", {});
  EXPECT_EQ(*ids.Enter("id", digest, "first", "alice"), "first");
  ids.Settle("id", "first", true, "alice");
  EXPECT_EQ(*ids.Enter("id", digest, "second", "bob"), "second");
  ids.Settle("id", "second", true, "bob");
  EXPECT_EQ(*ids.Enter("id", DigestOf("other", {}), "third"), "third");
  ids.Settle("id", "third", false);
  ids.Forget("id", "first", "bob");
  EXPECT_EQ(*ids.Enter("id", digest, "fourth", "alice"), "first");
  EXPECT_EQ(*ids.Enter("id", digest, "fourth", "bob"), "second");
}

TEST(RequestIdsTest, StandForARunUntilThatIsDeleted) {
  FakeClock clock;
  RequestIds ids(&clock);
  const auto digest = DigestOf("job", {});
  EXPECT_EQ(*ids.Enter("id", digest, "first"), "first");
  ids.Settle("id", "first", true);
  EXPECT_EQ(*ids.Enter("id", digest, "second"), "first");
  ids.Forget("id", "second");
  EXPECT_EQ(*ids.Enter("id", digest, "second"), "first") << "it was another's";
  ids.Forget("id", "first");
  EXPECT_EQ(*ids.Enter("id", digest, "third"), "third");
}

// A run may be over and deleted before whoever created it can say that it is there.
TEST(RequestIdsTest, OfARunThatWasDeletedAreFreeWhenItIsSettledLate) {
  FakeClock clock;
  RequestIds ids(&clock);
  const auto digest = DigestOf("job", {});
  ASSERT_TRUE(ids.Enter("id", digest, "first").ok());
  ids.Forget("id", "first");
  EXPECT_EQ(*ids.Enter("id", digest, "second"), "second");
  ids.Settle("id", "first", true);
  ids.Settle("id", "second", false);
  EXPECT_EQ(*ids.Enter("id", digest, "third"), "third");
}

// Lets a test see what a run is to whoever executes it.
class Remembers : public Executor {
 public:
  explicit Remembers(std::shared_ptr<Execution>* run) : run_(run) {}

  absl::Status Start(std::shared_ptr<Execution> run) const override {
    *run_ = run;
    std::thread([run = std::move(run)] {
      run->Started();
      EXPECT_EQ(run->parameters().size(), 1);
      run->Ended({});
    }).detach();
    return absl::OkStatus();
  }

 private:
  std::shared_ptr<Execution>* const run_;
};

using RunOfARequest = testing::EngineTest;

TEST_F(RunOfARequest, KeepsNoParametersForItsExecutorOnceItHasEnded) {
  std::shared_ptr<Execution> run;
  AddJob(Job("job", std::make_shared<Remembers>(&run)).With(Parameter::String("text")));
  AwaitResult(Start("job", {{"text", "value"}}));
  engine_.Stop(absl::InfiniteDuration());
  EXPECT_TRUE(run->parameters().empty());
}

}  // namespace
}  // namespace jobtail
