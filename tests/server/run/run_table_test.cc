// The table's order, by whatever it is asked for, against a search of all runs.

#include "server/run/run_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "tests/support/fake_clock.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr v1::RunState kStates[] = {v1::RUN_STATE_SUCCEEDED, v1::RUN_STATE_FAILED,
                                    v1::RUN_STATE_LOST};

using RunPointer = std::shared_ptr<Run>;

Run::Services Services(Scheduler* timers) {
  Run::Services services{};
  services.timers = timers;
  return services;
}

class RunTableTest : public ::testing::Test {
 protected:
  // A run that has ended so many seconds ago.
  RunPointer Add(int number, const std::string& job, v1::RunState state, int ago = 0,
                 const std::string& creator = "") {
    storage::v1::StoredRun stored;
    v1::Run& run = *stored.mutable_run();
    run.set_id(absl::StrFormat("019a7b3c-0000-7000-8000-%012d", number));
    run.set_job(job);
    run.set_created_by(creator);
    run.set_state(state);
    run.mutable_end_time()->set_seconds(absl::ToUnixSeconds(clock_.Now()) - ago);
    auto added = std::make_shared<jobtail::Run>(std::move(stored), &services_);
    table_.AddEnded(added);
    return added;
  }

  static std::vector<std::string> Ids(const std::vector<RunPointer>& runs) {
    std::vector<std::string> ids;
    for (const auto& run : runs) ids.push_back(run->id());
    return ids;
  }

  FakeClock clock_;
  Scheduler scheduler_{"test", &clock_};
  const jobtail::Run::Services services_ = Services(&scheduler_);
  RunTable table_{&scheduler_};
};

TEST_F(RunTableTest, FindsWhatASearchOfAllRunsFinds) {
  std::mt19937 random(1);
  const std::string creators[] = {"", "alice", "bob"};
  std::vector<RunPointer> all;
  for (int i = 0; i < 500; ++i) {
    all.push_back(Add(i, std::string(1, static_cast<char>('a' + random() % 4)),
                      kStates[random() % std::size(kStates)], 0, creators[random() % 3]));
  }
  for (int i = 0; i < 100; ++i) {
    const size_t gone = random() % all.size();
    table_.Remove({all[gone]});
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(gone));
  }
  for (int i = 0; i < 300; ++i) {
    RunFilter filter;
    if (random() % 2 == 0) filter.job = std::string(1, static_cast<char>('a' + random() % 5));
    for (const v1::RunState state : kStates) filter.states |= random() % 2 << state;
    if (random() % 2 == 0) filter.created_by = creators[random() % 3];
    filter.owner = creators[random() % 3];
    std::map<std::string, access::Scope> scopes;
    for (const char* job : {"a", "b", "c", "d", "e"}) {
      scopes[job] = static_cast<access::Scope>(random() % 3);
    }
    if (random() % 2 == 0) filter.scope = [&](const std::string& job) { return scopes.at(job); };
    const std::string from = random() % 4 == 0 ? "" : all[random() % all.size()]->id();
    const size_t limit = random() % 50;
    std::vector<std::string> newer;
    std::vector<std::string> older;
    for (const auto& run : all) {
      if (!filter.job.empty() && run->job() != filter.job) continue;
      if (!filter.Wants(run->state())) continue;
      if (!filter.created_by.empty() && run->created_by() != filter.created_by) continue;
      if (!filter.Covers(run->job(), run->created_by())) continue;
      if (run->id() > from && newer.size() < limit) newer.push_back(run->id());
      if (from.empty() || run->id() < from) older.insert(older.begin(), run->id());
    }
    older.resize(std::min(older.size(), limit));
    EXPECT_EQ(Ids(table_.List(from, limit, filter)), older);
    EXPECT_EQ(Ids(table_.ListOldest(from, limit, filter)), newer);
  }
}

TEST_F(RunTableTest, TellsWhatHasEndedBeforeATimeTheFirstToEndFirst) {
  const auto first = Add(3, "job", v1::RUN_STATE_FAILED, 300);
  const auto second = Add(1, "job", v1::RUN_STATE_SUCCEEDED, 200);
  const auto third = Add(2, "job", v1::RUN_STATE_LOST, 100);
  Add(4, "other", v1::RUN_STATE_LOST, 1000);
  const auto ended = [&](int ago, size_t limit = 10) {
    return Ids(
        table_.ListEnded("job", absl::ZeroDuration(), clock_.Steady() - absl::Seconds(ago), limit));
  };
  EXPECT_THAT(ended(50), ElementsAre(first->id(), second->id(), third->id()));
  EXPECT_THAT(ended(50, 2), ElementsAre(first->id(), second->id()));
  EXPECT_THAT(ended(200), ElementsAre(first->id())) << "not the one of that very moment";
  EXPECT_THAT(ended(300), IsEmpty());
  table_.Remove({first, second});
  EXPECT_THAT(ended(50), ElementsAre(third->id()));
  table_.Remove({first});
  EXPECT_EQ(table_.Count().size(), 2);
}

}  // namespace
}  // namespace jobtail
