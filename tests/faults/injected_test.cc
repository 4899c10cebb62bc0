// Faults of calls to the system, one after the other, under a run that is followed: what clients
// are told meanwhile, and that all is as before once they are over.

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <ostream>
#include <string>

#include "tests/e2e/fixture.h"
#include "tests/e2e/http_client.h"
#include "tests/faults/counted_log.h"
#include "tests/faults/faulty_server.h"
#include "tests/faults/whole.h"

namespace jobtail::faults {
namespace {

using grpc::StatusCode;
using ::testing::IsEmpty;
using ::testing::IsSubsetOf;

// What else the server does while the fault lasts.
enum class Load {
  kQuiet,  // nothing
  kPrint,  // a run prints as fast as it can: tables are written
  kRead,   // the log of a run that has ended, and is in tables, is read
};

struct Case {
  const char* name;
  Fault fault;
  Load load = Load::kQuiet;
  // What one is told, in the end, for as long as the fault lasts. A fault that happens a number of
  // times may be over before anybody has noticed.
  StatusCode meanwhile = StatusCode::OK;
  bool is_of_the_few = false;  // that are run always
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }

bool Passes(const Case& one) { return one.fault.times > 0; }

int HttpStatus(StatusCode code) {
  if (code == StatusCode::OK) return 200;
  return code == StatusCode::RESOURCE_EXHAUSTED ? 429 : 503;
}

// The number that the process' next descriptor would have.
rlim_t NextDescriptor(pid_t process) {
  const std::filesystem::path open = "/proc/" + std::to_string(process) + "/fd";
  rlim_t next = 0;
  while (std::filesystem::exists(std::filesystem::symlink_status(open / std::to_string(next)))) {
    ++next;
  }
  return next;
}

class Injected : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!GetParam().is_of_the_few && !IsWhole()) GTEST_SKIP() << "run with JOBTAIL_FAULTS=all";
    server_.Start();
    ASSERT_FALSE(HasFatalFailure());
    server_.ExpectServed();
    if (GetParam().load == Load::kRead) MakeEndedRun();
    before_ = server_.Measure();
    run_ = e2e::StartRun(server_.stub(), "countdown", {{"times", "1000000"}, {"interval", "1ms"}});
    follower_ = std::make_unique<Follower>(server_.address(), run_);
    AwaitLines(100);
    if (GetParam().load == Load::kPrint) {
      loud_ = e2e::StartRun(server_.stub(), "firehose", {{"lines", "1000000000"}});
    }
  }

  // A server that is started anew has it in tables, and nothing of it in memory.
  void MakeEndedRun() {
    ended_ = e2e::StartRun(server_.stub(), "firehose", {{"lines", "1000000"}, {"bytes", "24"}});
    e2e::WaitUntilEnded(server_.stub(), ended_);
    server_.Kill();
    server_.Start();
    server_.ExpectServed();
  }

  void AwaitLines(int64_t more) {
    const int64_t wanted = follower_->last() + more;
    EXPECT_TRUE(Within(kPatience, [&] { return follower_->last() >= wanted; }))
        << "the follower has come to " << follower_->last();
  }

  void Cancel(const std::string& run) {
    v1::CancelRunRequest request;
    request.set_run(run);
    v1::Run cancelled;
    grpc::ClientContext context;
    const grpc::Status status = server_.stub().CancelRun(&context, request, &cancelled);
    EXPECT_TRUE(status.ok()) << status.error_message();
    EXPECT_TRUE(Within(kPatience, [&] { return e2e::GetRun(server_.stub(), run).has_result(); }));
  }

  // Until the fault has happened, or for as long as it takes until clients notice.
  void LiveThroughIt() {
    const Case& one = GetParam();
    const bool is_over = Within(std::chrono::seconds(60), [&] {
      server_.Ask(&answers_);
      if (one.load == Load::kRead) ReadEndedRun();
      if (Passes(one)) return server_.injector().hits() == one.fault.times;
      const bool is_seen = one.meanwhile == StatusCode::OK || answers_.ready.contains(503);
      return server_.injector().hits() >= 3 && is_seen && answers_.grpc.contains(one.meanwhile) &&
             answers_.http.contains(HttpStatus(one.meanwhile));
    });
    EXPECT_TRUE(is_over) << server_.injector().hits() << " calls were hit; " << answers_.ToString();
  }

  // From its beginning, over HTTP; what breaks is begun again by the next round.
  void ReadEndedRun() {
    e2e::HttpClient client(server_.http_url());
    const std::string log = client.Get("/v1/runs/" + ended_ + "/log").body;
    EXPECT_EQ(log.find("[jobtail: "), std::string::npos) << "an error in reading is no gap";
  }

  // At both doors the same: every line, and the end.
  void ExpectWhole(const std::string& run) {
    CountedLog log(run);
    ReadAll(server_.stub(), run, &log);
    EXPECT_TRUE(log.result());
    EXPECT_THAT(log.gaps(), IsEmpty());
    e2e::HttpClient client(server_.http_url());
    const e2e::HttpAnswer answer = client.Get("/v1/runs/" + run + "/log");
    EXPECT_TRUE(answer.complete);
    EXPECT_EQ(std::count(answer.body.begin(), answer.body.end(), '\n'), log.last() - 1);
  }

  FaultyServer server_;
  std::string ended_;
  std::string run_;
  std::string loud_;
  FaultyServer::Use before_;
  std::unique_ptr<Follower> follower_;
  Answers answers_;
};

TEST_P(Injected, LeavesNothingBehind) {
  const Case& one = GetParam();
  server_.injector().Begin(one.fault);
  LiveThroughIt();
  if (one.fault.delay_ms > 0) AwaitLines(1000);  // slow is not stuck
  server_.injector().End();
  const auto took = server_.ExpectServed();
  AwaitLines(100);
  std::cout << "[ MEASURED ] " << one.name << ": meanwhile " << answers_.ToString()
            << "; served again after " << took.count() << " ms\n";

  EXPECT_THAT(answers_.grpc,
              IsSubsetOf({StatusCode::OK, StatusCode::UNAVAILABLE, StatusCode::RESOURCE_EXHAUSTED,
                          StatusCode::DEADLINE_EXCEEDED}));
  if (one.meanwhile == StatusCode::OK && !Passes(one)) {
    EXPECT_THAT(answers_.grpc, ::testing::ElementsAre(StatusCode::OK));
    EXPECT_THAT(answers_.ready, ::testing::ElementsAre(200));
  }
  if (!loud_.empty()) Cancel(loud_);
  Cancel(run_);
  EXPECT_TRUE(Within(kPatience, [&] {
    return follower_->last() == e2e::GetRun(server_.stub(), run_).last_sequence();
  }));
  follower_->Stop();
  EXPECT_TRUE(follower_->log().result());
  EXPECT_THAT(follower_->log().gaps(), IsEmpty());
  EXPECT_THAT(follower_->ends(), IsSubsetOf({StatusCode::UNAVAILABLE}));
  ExpectWhole(run_);
  if (!ended_.empty()) ExpectWhole(ended_);
  server_.ExpectUse(before_);
}

constexpr StatusCode kFull = StatusCode::RESOURCE_EXHAUSTED;
constexpr StatusCode kFails = StatusCode::UNAVAILABLE;

INSTANTIATE_TEST_SUITE_P(
    Once, Injected,
    ::testing::Values(
        Case{"EioInAWriteOfTheWriteAheadLog", {kWrite, ".log", EIO, 1}, Load::kQuiet, {}, true},
        Case{"EioInASyncOfTheWriteAheadLog", {kSync, ".log", EIO, 1}, Load::kQuiet, {}, true},
        Case{"EnospcInAWriteOfTheWriteAheadLog", {kWrite, ".log", ENOSPC, 1}},
        Case{"EioInAWriteOfATable", {kWrite, ".sst", EIO, 1}, Load::kPrint, {}, true},
        Case{"EioInASyncOfATable", {kSync, ".sst", EIO, 1}, Load::kPrint},
        Case{"EnospcInAWriteOfATable", {kWrite, ".sst", ENOSPC, 1}, Load::kPrint},
        Case{"EioInAWriteOfTheManifest", {kWrite, "MANIFEST", EIO, 1}, Load::kPrint},
        Case{"EioInASyncOfTheManifest", {kSync, "MANIFEST", EIO, 1}, Load::kPrint},
        Case{"EmfileInAnOpen", {kOpen, ".sst", EMFILE, 1}, Load::kPrint, {}, true},
        Case{"EnomemInAnOpen", {kOpen, ".log", ENOMEM, 1}, Load::kPrint},
        Case{"EioInFourReads", {kRead, ".sst", EIO, 4}, Load::kRead, {}, true},
        Case{"EnomemInFourReads", {kRead, ".sst", ENOMEM, 4}, Load::kRead},
        Case{"EmfileInThirtyConnections", {kAccept, "", EMFILE, 30}, Load::kQuiet, {}, true}),
    [](const auto& one) { return std::string(one.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Lasting, Injected,
    ::testing::Values(
        Case{"EnospcInAllWrites", {kWrite, "data/", ENOSPC}, Load::kQuiet, kFull, true},
        Case{"EioInAllWrites", {kWrite, "data/", EIO}, Load::kQuiet, kFails},
        Case{"EioInAllSyncs", {kSync, "data", EIO}, Load::kQuiet, kFails},
        Case{"EmfileInAllOpens", {kOpen, "data/", EMFILE}, Load::kPrint, kFails},
        Case{"EnospcInAllWritesBesideAFirehose", {kWrite, "data/", ENOSPC}, Load::kPrint, kFull},
        Case{"SyncsThatTakeTwoSeconds", {kSync, "data", 0, -1, 2000}, Load::kQuiet, {}, true}),
    [](const auto& one) { return std::string(one.param.name); });

// Who asks over a connection of before is told the truth meanwhile.
TEST(InjectedIntoAccepting, NobodyIsToldThatAServerIsReadyWhichTakesNoConnections) {
  FaultyServer server;
  server.Start();
  ASSERT_FALSE(HasFatalFailure());
  server.ExpectServed();
  e2e::HttpClient probe(server.http_url());
  EXPECT_EQ(probe.Get("/readyz").status, 200);
  server.injector().Begin({kAccept, "", EMFILE});
  e2e::HttpClient waiting(server.http_url());
  e2e::HttpAnswer answer;
  EXPECT_TRUE(Within(kPatience, [&] {
    answer = probe.Get("/readyz");
    return answer.status == 503;
  }));
  EXPECT_THAT(answer.body, ::testing::HasSubstr("descriptors"));
  server.injector().End();
  EXPECT_EQ(waiting.Get("/healthz").status, 200);
  EXPECT_TRUE(Within(kPatience, [&] { return probe.Get("/readyz").status == 200; }));
  server.ExpectServed();
}

// A disk that does not answer is no reason to stay for ever.
TEST(InjectedIntoStopping, AServerEndsThoughItsDiskDoesNotAnswer) {
  if (!IsWhole()) GTEST_SKIP() << "run with JOBTAIL_FAULTS=all";
  FaultyServer server;
  server.Start({"--stop-grace=1", "--sync=always"});
  ASSERT_FALSE(HasFatalFailure());
  server.ExpectServed();
  server.injector().Begin({kSync | kWrite, "data", 0, -1, 3'600'000});
  e2e::HttpClient client(server.http_url());
  client.Send("POST", "/v1/runs", {{"Content-Type", "application/json"}},
              R"({"job": "countdown"})");
  EXPECT_TRUE(Within(kPatience, [&] { return server.injector().hits() > 0; }));
  EXPECT_EQ(server.Stop(), 1);
}

// What keeps the database from being opened anew at first: one error in writing closes it.
class InjectedIntoOpening : public ::testing::TestWithParam<const char*> {};

TEST_P(InjectedIntoOpening, ErrorsInReadingLoseNothing) {
  if (!IsWhole()) GTEST_SKIP() << "run with JOBTAIL_FAULTS=all";
  FaultyServer server;
  server.Start();
  ASSERT_FALSE(HasFatalFailure());
  server.ExpectServed();
  const std::string run =
      e2e::StartRun(server.stub(), "countdown", {{"times", "6000"}, {"interval", "1ms"}});
  Follower follower(server.address(), run);
  EXPECT_TRUE(Within(kPatience, [&] { return follower.last() > 2000; }));
  server.injector().Begin({kRead, GetParam(), EIO, 3});
  server.injector().BeginBeside({kWrite, ".log", EIO, 1});
  EXPECT_TRUE(Within(kPatience, [&] {
    return server.injector().hits() == 3 && server.injector().hits_beside() == 1;
  }));
  server.injector().End();
  server.ExpectServed();
  EXPECT_TRUE(Within(std::chrono::seconds(30), [&] { return follower.last() == 6002; }))
      << follower.last();
  follower.Stop();
  EXPECT_THAT(follower.log().gaps(), IsEmpty());
  // From the store, and not from memory.
  server.Kill();
  server.Start();
  CountedLog log(run);
  ReadAll(server.stub(), run, &log);
  EXPECT_TRUE(log.result());
  EXPECT_EQ(log.last(), 6002);
  EXPECT_THAT(log.gaps(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Of, InjectedIntoOpening,
                         ::testing::Values(".log", "FORMAT", "MANIFEST", "CURRENT"),
                         [](const auto& one) {
                           const std::string part = one.param;
                           return part == ".log" ? "TheWriteAheadLog" : part;
                         });

// The journal, where it is not mapped but written to: what it does not take, the database does.
TEST(InjectedIntoTheJournal, ErrorsAreNotNoticed) {
  if (!IsWhole()) GTEST_SKIP() << "run with JOBTAIL_FAULTS=all";
  FaultyServer server;
  server.injector().Begin({kMap, "journal", ENOMEM});
  server.Start();
  ASSERT_FALSE(::testing::Test::HasFatalFailure());
  ASSERT_GT(server.injector().hits(), 0);
  const std::string run =
      e2e::StartRun(server.stub(), "countdown", {{"times", "3000"}, {"interval", "1ms"}});
  Follower follower(server.address(), run);
  server.injector().Begin({kWrite, "journal", EIO, 100});
  EXPECT_TRUE(Within(kPatience, [&] { return server.injector().hits() == 100; }));
  Answers answers;
  server.Ask(&answers);
  EXPECT_EQ(answers.ToString(), "gRPC 0, HTTP 200, /readyz 200");
  server.injector().End();
  const auto took = server.ExpectServed();
  std::cout << "[ MEASURED ] ErrorsOfTheJournal: meanwhile " << answers.ToString()
            << "; served again after " << took.count() << " ms\n";
  EXPECT_TRUE(Within(kPatience, [&] { return follower.last() == 3002; }));
  follower.Stop();
  EXPECT_THAT(follower.ends(), IsEmpty());
  EXPECT_THAT(follower.log().gaps(), IsEmpty());
  EXPECT_TRUE(follower.log().result());
}

// What is synced line by line: the database takes what the journal cannot be synced with, until
// that has been begun anew; what was shown is there after the end of the process.
TEST(InjectedIntoTheJournal, ErrorsInSyncingEachLineAreNotNoticed) {
  const std::vector<std::string> flags = {"--sync=always"};
  FaultyServer server;
  server.Start(flags);
  ASSERT_FALSE(::testing::Test::HasFatalFailure());
  server.ExpectServed();
  const std::string run =
      e2e::StartRun(server.stub(), "countdown", {{"times", "1000000"}, {"interval", "1ms"}});
  Follower follower(server.address(), run);
  const auto await_lines = [&](int64_t more) {
    const int64_t wanted = follower.last() + more;
    EXPECT_TRUE(Within(kPatience, [&] { return follower.last() >= wanted; })) << follower.last();
  };
  await_lines(100);
  for (int round = 0; round < 3; ++round) {
    server.injector().Begin({kSync, "journal", EIO, 2});
    EXPECT_TRUE(Within(kPatience, [&] { return server.injector().hits() == 2; }));
    Answers answers;
    server.Ask(&answers);
    EXPECT_EQ(answers.ToString(), "gRPC 0, HTTP 200, /readyz 200");
    await_lines(100);
    server.injector().End();
    server.ExpectServed();
    // The journal is synced again: else the next round would find nothing to hit.
  }
  const int64_t shown = follower.last();
  server.Kill();
  server.Start(flags);
  follower.Stop();
  EXPECT_THAT(follower.log().gaps(), IsEmpty());
  CountedLog log(run);
  ReadAll(server.stub(), run, &log);
  EXPECT_TRUE(log.result()) << "the run's end, since its server has gone";
  EXPECT_GE(log.last(), shown);
  EXPECT_THAT(log.gaps(), IsEmpty());
}

// Neither an error nor an end: who does not need the disk's answer goes on.
TEST(InjectedIntoSyncs, NoAnswerIsBadHealthUntilItComes) {
  if (!IsWhole()) GTEST_SKIP() << "run with JOBTAIL_FAULTS=all";
  FaultyServer server;
  server.Start();
  ASSERT_FALSE(::testing::Test::HasFatalFailure());
  const std::string run =
      e2e::StartRun(server.stub(), "countdown", {{"times", "1000000"}, {"interval", "1ms"}});
  Follower follower(server.address(), run);
  server.injector().Begin({kSync, "data", 0, -1, 600'000});
  e2e::HttpClient client(server.http_url());
  EXPECT_TRUE(
      Within(std::chrono::seconds(30), [&] { return client.Get("/readyz").status == 503; }));
  const int64_t seen = follower.last();
  EXPECT_TRUE(Within(kPatience, [&] { return follower.last() >= seen + 1000; }));
  server.injector().End();
  const auto took = server.ExpectServed();
  std::cout << "[ MEASURED ] NoAnswer: served again after " << took.count() << " ms\n";
  follower.Stop();
  EXPECT_THAT(follower.ends(), IsEmpty());
  EXPECT_THAT(follower.log().gaps(), IsEmpty());
}

// A run that is a process needs some descriptors; others need none.
TEST(Descriptors, ThatARunNeedsAreRefusedToItAlone) {
  if (!IsWhole()) GTEST_SKIP() << "run with JOBTAIL_FAULTS=all";
  FaultyServer server;
  server.Start();
  ASSERT_FALSE(::testing::Test::HasFatalFailure());
  server.ExpectServed();
  const auto end_of_process = [&] {
    const std::string run = e2e::StartRun(server.stub(), "segfaults");
    e2e::WaitUntilEnded(server.stub(), run);
    return e2e::GetRun(server.stub(), run).result();
  };
  EXPECT_EQ(end_of_process().signal(), SIGSEGV);
  rlimit before;
  ASSERT_EQ(prlimit(server.pid(), RLIMIT_NOFILE, nullptr, &before), 0);
  const rlimit none{NextDescriptor(server.pid()), before.rlim_max};
  ASSERT_EQ(prlimit(server.pid(), RLIMIT_NOFILE, &none, nullptr), 0);
  v1::CreateRunRequest request;
  request.set_job("segfaults");
  v1::Run run;
  grpc::ClientContext context;
  const grpc::Status refused = server.stub().CreateRun(&context, request, &run);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), ::testing::HasSubstr("open files"));
  ASSERT_EQ(prlimit(server.pid(), RLIMIT_NOFILE, &before, nullptr), 0);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(end_of_process().signal(), SIGSEGV);
  const auto took = std::chrono::steady_clock::now() - begin;
  std::cout << "[ MEASURED ] NoDescriptorsForAProcess: a run took "
            << took / std::chrono::milliseconds(1) << " ms\n";
  server.ExpectServed();
}

}  // namespace
}  // namespace jobtail::faults
