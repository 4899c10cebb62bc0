// The client library and the command against connections that break: every line of a log is handed
// out exactly once and in order.

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "client/client.h"
#include "tests/e2e/fault_proxy.h"
#include "tests/e2e/fixture.h"

namespace jobtail::e2e {
namespace {

using client::Client;
using ::testing::Each;
using ::testing::Ge;
using End = Fault::End;
using Way = Fault::Way;
using Plan = std::vector<Fault>;

constexpr int kReaders = 8;

std::string Text(int64_t number) {
  std::string text = "line " + std::to_string(number) + " ";
  text.resize(100 + static_cast<size_t>(number % 50), '.');
  return text;
}

Plan Shuffled(Plan plan, int seed) {
  std::shuffle(plan.begin(), plan.end(), std::mt19937(static_cast<unsigned>(seed)));
  return plan;
}

End Either(int i) { return i % 2 == 0 ? End::kClose : End::kReset; }

class Faults : public ::testing::Test {
 protected:
  Faults() {
    server_.Add("prints", [](JobContext&) {
      for (int64_t i = 1; i <= kLines; ++i) puts(Text(i).c_str());
    });
    // Slowly enough that readers wait for it now and then.
    server_.Add("trickles", [](JobContext& run) {
      for (int64_t i = 1; i <= kLines; ++i) {
        puts(Text(i).c_str());
        if (i % 20 == 0 && !run.SleepFor(absl::Microseconds(200))) return;
      }
    });
  }

  // Reads the log through a proxy that does to its first connections what `plan` says. Returns how
  // many it broke.
  int ReadThrough(const std::string& run, const Plan& plan) {
    const FaultProxy proxy(server_.server().grpc_address(), [&plan](int i) {
      return i < static_cast<int>(plan.size()) ? plan[static_cast<size_t>(i)] : Fault{};
    });
    client::ResumeOptions options;
    options.backoff = {absl::Milliseconds(1), absl::Milliseconds(10)};
    const auto reader = Client(proxy.address()).Tail(Follow(run), options);
    ExpectEveryLine(*reader);
    return proxy.broken();
  }

  // The same by several readers at once, of which the i-th has plan(i).
  template <typename MakePlan>
  std::vector<int> ReadThroughEach(const std::string& run, MakePlan plan) {
    std::vector<int> broken(kReaders);
    std::vector<std::thread> readers;
    for (int i = 0; i < kReaders; ++i) {
      readers.emplace_back([&, i] { broken[static_cast<size_t>(i)] = ReadThrough(run, plan(i)); });
    }
    for (std::thread& reader : readers) reader.join();
    return broken;
  }

  static void ExpectEveryLine(client::LogReader& reader) {
    int64_t next = 1;
    while (true) {
      const absl::StatusOr<const v1::LogBatch*> batch = reader.Next();
      ASSERT_TRUE(batch.ok()) << batch.status() << " at " << next;
      if (*batch == nullptr) break;
      for (const v1::LogLine& line : (*batch)->lines()) {
        if (line.sequence() == 0) continue;
        ASSERT_EQ(line.sequence(), next);
        if (next <= kLines) {
          ASSERT_EQ(line.text(), Text(next));
        }
        ASSERT_EQ(line.has_result(), next > kLines);
        ++next;
      }
    }
    EXPECT_EQ(next, kLines + 2);
  }

  static constexpr int64_t kLines = 10'000;

  EmbeddedServer server_;
};

// Byte by byte through the handshake, the headers and into the first message, which is larger.
TEST_F(Faults, AtAnyByteOfTheAnswersBeginningLoseNothing) {
  constexpr int kBytes = 400;
  const std::string run = StartRun(server_.stub(), "prints");
  WaitUntilEnded(server_.stub(), run);
  const auto broken = ReadThroughEach(run, [](int reader) {
    Plan plan;
    for (int after = reader; after < kBytes; after += kReaders) {
      plan.push_back({.end = Either(after / kReaders), .after = static_cast<size_t>(after)});
    }
    return Shuffled(plan, reader);
  });
  EXPECT_THAT(broken, Each(kBytes / kReaders));
}

TEST_F(Faults, AtAnyByteOfTheRequestLoseNothing) {
  constexpr int kBytes = 400;  // about as many as there are, so that not all plans are carried out
  const std::string run = StartRun(server_.stub(), "prints");
  WaitUntilEnded(server_.stub(), run);
  const auto broken = ReadThroughEach(run, [](int reader) {
    Plan plan;
    for (int after = reader; after < kBytes; after += kReaders) {
      plan.push_back({.end = Either(after / kReaders),
                      .way = Way::kToServer,
                      .after = static_cast<size_t>(after)});
    }
    return plan;
  });
  EXPECT_THAT(broken, Each(Ge(kBytes / kReaders / 2)));
}

// Every other connection lives long enough for some messages.
Plan AnywherePlan(int reader) {
  std::mt19937 random(static_cast<unsigned>(reader));
  Plan plan;
  for (int i = 0; i < 60; ++i) {
    plan.push_back({.end = Either(i / 2), .after = random() % (i % 2 == 0 ? 5'000 : 200'000)});
  }
  return plan;
}

TEST_F(Faults, AnywhereInALogThatGrowsLoseNothing) {
  const auto broken = ReadThroughEach(StartRun(server_.stub(), "trickles"), AnywherePlan);
  EXPECT_THAT(broken, Each(Ge(10)));
}

TEST_F(Faults, AnywhereInALogThatHasEndedLoseNothing) {
  const std::string run = StartRun(server_.stub(), "prints");
  WaitUntilEnded(server_.stub(), run);
  EXPECT_THAT(ReadThroughEach(run, AnywherePlan), Each(Ge(10)));
}

TEST_F(Faults, OnASlowNetworkLoseNothing) {
  const auto broken = ReadThroughEach(StartRun(server_.stub(), "trickles"), [](int reader) {
    std::mt19937 random(static_cast<unsigned>(reader));
    Plan plan;
    for (int i = 0; i < 20; ++i) {
      plan.push_back({.end = Either(i),
                      .after = random() % 150'000,
                      .piece = 200 + random() % 3000,
                      .pause = std::chrono::microseconds(random() % 300)});
    }
    return plan;
  });
  EXPECT_THAT(broken, Each(Ge(5)));
}

// The request that starts the run is hit as well: it is repeated, and there is one run all the
// same.
TEST_F(Faults, DoNotShowInWhatTheCommandPrints) {
  const FaultProxy proxy(server_.server().grpc_address(), [](int i) -> Fault {
    if (i >= 40) return {};
    if (i % 4 == 0) return {.end = Either(i / 4), .after = static_cast<size_t>(i * 5)};
    return {.end = Either(i), .after = 70'000 + static_cast<size_t>(i) * 1000};
  });
  const auto outcome = jobtail::testing::Run(
      {.command = {JOBTAIL_COMMAND, "--server=" + proxy.address(), "run", "trickles"}});
  std::string expected;
  for (int64_t i = 1; i <= kLines; ++i) expected += Text(i) + "\n";
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(outcome.out == expected) << outcome.out.size() << " bytes, not " << expected.size();
  EXPECT_GE(proxy.broken(), 10);
  v1::ListRunsResponse runs;
  grpc::ClientContext context;
  ASSERT_TRUE(server_.stub().ListRuns(&context, {}, &runs).ok());
  EXPECT_EQ(runs.runs_size(), 1);
}

}  // namespace
}  // namespace jobtail::e2e
