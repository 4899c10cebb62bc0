// Tests of when a stream calls again and when it gives up, on scripted calls.

#include "client/resumable_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "fake_server.h"
#include "tests/support/fake_clock.h"
#include "tests/support/passing_time.h"

namespace jobtail::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr absl::Duration kStep = absl::Milliseconds(50);  // minutes pass in no time

// What a call does: how it starts, the number of its messages, and how it ends.
struct Scripted {
  absl::Status start = absl::OkStatus();
  int messages = 0;
  bool progress = true;
  absl::Duration takes = absl::ZeroDuration();
  absl::Status end = absl::UnavailableError("cut");
};

// A reader whose calls are a script, of which the last entry is repeated. Its channel is connected.
class ResumableStreamTest : public ::testing::Test, protected ResumableStream::Calls {
 protected:
  ResumableStreamTest()
      : channel_(grpc::CreateChannel(server_.address(), grpc::InsecureChannelCredentials())) {
    options_.clock = &clock_;
    options_.on_connection_lost = [this](const absl::Status& reason) {
      events_.emplace_back(reason.message());
    };
    options_.on_connected_again = [this] { events_.emplace_back("again"); };
    channel_->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(30));
  }

  absl::Status Start(grpc::ClientContext*) override {
    if (script_.size() > 1 && starts_ > 0) script_.pop_front();
    ++starts_;
    left_ = script_.front().messages;
    clock_.Advance(script_.front().takes);
    return script_.front().start;
  }
  bool Read() override {
    if (left_-- <= 0) return false;
    if (script_.front().progress) stream_->NoteProgress();
    return true;
  }
  absl::Status Finish() override { return script_.front().end; }
  std::string WhereToGoOn() const override { return "; here"; }

  void Play(std::deque<Scripted> script) {
    script_ = std::move(script);
    ResumableStream::Calls* const calls = this;
    stream_ = std::make_unique<ResumableStream>(channel_, options_, calls);
  }

  // Reads to the end; the messages are counted.
  absl::Status ReadAll() {
    while (true) {
      const std::optional<absl::Status> end = stream_->Next();
      if (end.has_value()) return *end;
      ++messages_;
    }
  }

  FakeServer server_;
  FakeClock clock_;
  const std::shared_ptr<grpc::Channel> channel_;
  ResumeOptions options_;
  std::unique_ptr<ResumableStream> stream_;
  std::deque<Scripted> script_;
  int left_ = 0;
  int starts_ = 0;
  int messages_ = 0;
  std::vector<std::string> events_;
};

TEST_F(ResumableStreamTest, GoesOnUntilACallEndsInOrder) {
  const PassingTime time(&clock_, kStep);
  Play({{.messages = 2}, {}, {.messages = 3, .end = absl::OkStatus()}});
  EXPECT_TRUE(ReadAll().ok());
  EXPECT_EQ(messages_, 5);
  EXPECT_EQ(starts_, 3);
  EXPECT_THAT(events_, ElementsAre("cut", "again"));
  EXPECT_TRUE(stream_->Next()->ok()) << "it stays";
}

TEST_F(ResumableStreamTest, GivesUpWhenNothingHasBeenHeardForItsTime) {
  const PassingTime time(&clock_, kStep);
  const absl::Duration begin = clock_.Steady();
  Play({{}});
  const absl::Status end = ReadAll();
  EXPECT_TRUE(absl::IsUnavailable(end));
  EXPECT_EQ(end.message(), "nothing heard from the server for 5m: cut; here");
  EXPECT_GE(clock_.Steady() - begin, absl::Minutes(5));
  EXPECT_LT(clock_.Steady() - begin, absl::Minutes(10));
  EXPECT_THAT(events_, ElementsAre("cut"));
}

TEST_F(ResumableStreamTest, SettingTheTimeOfDayEndsNoWait) {
  const PassingTime time(&clock_, kStep);
  options_.on_connection_lost = [this](const absl::Status&) { clock_.SetForward(absl::Hours(24)); };
  Play({{}, {}, {.messages = 1, .end = absl::OkStatus()}});
  EXPECT_TRUE(ReadAll().ok());
  EXPECT_EQ(messages_, 1);
}

TEST_F(ResumableStreamTest, DoesNotBesiegeAServerThatCutsEveryCall) {
  const PassingTime time(&clock_, kStep);
  Play({{.messages = 1, .progress = false}});
  EXPECT_TRUE(absl::IsUnavailable(ReadAll()));
  EXPECT_LT(starts_, 200) << "in five minutes, with waits of up to five seconds";
}

TEST_F(ResumableStreamTest, GoesOnForEverWhereEachCallBringsSomething) {
  options_.retry_for = absl::Seconds(1);
  const PassingTime time(&clock_, kStep);
  std::deque<Scripted> script(50, {.messages = 1});
  script.push_back({.end = absl::OkStatus()});
  Play(std::move(script));
  EXPECT_TRUE(ReadAll().ok());
  EXPECT_EQ(messages_, 50);
}

TEST_F(ResumableStreamTest, ARefusalIsFinal) {
  for (const absl::Status& refusal :
       {absl::NotFoundError("no"), absl::InvalidArgumentError("no"),
        absl::ResourceExhaustedError("no"), absl::DataLossError("no")}) {
    starts_ = 0;
    Play({{.end = refusal}});
    EXPECT_EQ(ReadAll(), refusal);
    EXPECT_EQ(starts_, 1);
  }
}

TEST_F(ResumableStreamTest, TooManyReadersMayPassOnceItHasBeenHeard) {
  const PassingTime time(&clock_, kStep);
  const absl::Status full = absl::ResourceExhaustedError("too many");
  Play({{.messages = 1}, {.end = full}, {.end = full}, {.messages = 1, .end = absl::OkStatus()}});
  EXPECT_TRUE(ReadAll().ok());
  EXPECT_EQ(messages_, 2);
}

TEST_F(ResumableStreamTest, AnotherCallThatWasTooLargeEndsNoReading) {
  const PassingTime time(&clock_, kStep);
  const absl::Status metadata =
      absl::ResourceExhaustedError("received metadata size exceeds limit");
  Play({{.messages = 1, .end = metadata}, {.messages = 1, .end = absl::OkStatus()}});
  EXPECT_TRUE(ReadAll().ok());
  EXPECT_EQ(messages_, 2);
  starts_ = 0;
  const absl::Status large = absl::ResourceExhaustedError("Received message larger than max");
  Play({{.messages = 1, .end = large}});
  EXPECT_EQ(ReadAll(), large);
  EXPECT_EQ(starts_, 1);
}

TEST_F(ResumableStreamTest, GivesUpAServerThatAnswersForEverAndSaysNothing) {
  options_.backoff.max = absl::Milliseconds(1);
  const PassingTime time(&clock_, kStep);
  Play({{.messages = 1, .progress = false, .takes = absl::Seconds(10)}});
  EXPECT_TRUE(absl::IsUnavailable(ReadAll()));
  EXPECT_GT(starts_, 1000);
  EXPECT_LT(starts_, 10'000);
}

// A script of calls that know who calls for a message each, and what else can be had says so.
class RenewingStreamTest : public ResumableStreamTest {
 protected:
  RenewingStreamTest() {
    options_.renew_credentials = [this] {
      const absl::Status answer = answers_.front();
      if (answers_.size() > 1) answers_.pop_front();
      events_.emplace_back("renew");
      return answer;
    };
  }

  static Scripted Expires(int messages) {
    return {.messages = messages, .end = absl::UnauthenticatedError("expired")};
  }

  std::deque<absl::Status> answers_ = {absl::OkStatus()};  // the last one is repeated
};

TEST_F(RenewingStreamTest, ANewProofOfWhoCallsGoesOnAndIsNoOutage) {
  Play({Expires(2), Expires(1), {.messages = 1, .end = absl::OkStatus()}});
  EXPECT_TRUE(ReadAll().ok());
  EXPECT_EQ(messages_, 4);
  EXPECT_THAT(events_, ElementsAre("renew", "renew"));
}

TEST_F(RenewingStreamTest, ANewProofThatIsRefusedIsTheEnd) {
  Play({Expires(1), Expires(0)});
  EXPECT_EQ(ReadAll(), absl::UnauthenticatedError("expired"));
  EXPECT_EQ(starts_, 2);
  EXPECT_THAT(events_, ElementsAre("renew"));
}

TEST_F(RenewingStreamTest, AServerThatAnswersAndRefusesAtOnceIsNotShownProofAfterProof) {
  Play({Expires(1), {.messages = 1, .progress = false, .end = absl::UnauthenticatedError("no")}});
  EXPECT_EQ(ReadAll().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(starts_, 2);
}

TEST_F(RenewingStreamTest, AfterAnOutageToo) {
  const PassingTime time(&clock_, kStep);
  Play({{.messages = 1}, {}, Expires(0), {.messages = 1, .end = absl::OkStatus()}});
  EXPECT_TRUE(ReadAll().ok());
  EXPECT_THAT(events_, ElementsAre("cut", "renew", "again"));
}

TEST_F(RenewingStreamTest, WhoeverWasNeverKnownIsRefused) {
  Play({Expires(0)});
  EXPECT_EQ(ReadAll(), absl::UnauthenticatedError("expired"));
  EXPECT_THAT(events_, IsEmpty());
}

TEST_F(RenewingStreamTest, WhatCannotBeAskedForNowIsAskedForAgain) {
  const PassingTime time(&clock_, kStep);
  answers_ = {absl::UnavailableError("no issuer"), absl::UnavailableError("no issuer"),
              absl::OkStatus()};
  Play({Expires(1), Expires(0), Expires(0), {.messages = 1, .end = absl::OkStatus()}});
  EXPECT_TRUE(ReadAll().ok());
  EXPECT_EQ(messages_, 2);
  EXPECT_THAT(events_, ElementsAre("renew", "no issuer", "renew", "renew", "again"));
}

TEST_F(RenewingStreamTest, WhereThereIsNoOtherProofBothReasonsAreTold) {
  answers_ = {absl::UnauthenticatedError("sign in again")};
  Play({Expires(1)});
  EXPECT_EQ(ReadAll(), absl::UnauthenticatedError("expired; sign in again"));
}

TEST_F(ResumableStreamTest, AFailedStartCountsAsTheEndOfTheCall) {
  Play({{.start = absl::NotFoundError("no such job"), .end = absl::CancelledError("")}});
  EXPECT_EQ(ReadAll(), absl::NotFoundError("no such job"));
}

TEST_F(ResumableStreamTest, CancelEndsAWaitOfHours) {
  absl::Notification lost;
  options_.backoff = {.initial = absl::Hours(1), .max = absl::Hours(1)};
  options_.on_connection_lost = [&](const absl::Status&) { lost.Notify(); };
  Play({{}});
  std::thread canceller([&] {
    lost.WaitForNotification();
    stream_->Cancel();
  });
  EXPECT_TRUE(absl::IsCancelled(ReadAll()));
  canceller.join();
  EXPECT_EQ(starts_, 1);
}

TEST_F(ResumableStreamTest, AnErrorOfTheReadersOwnIsFinal) {
  Play({{.messages = 5}});
  EXPECT_FALSE(stream_->Next().has_value());
  stream_->Fail(absl::DataLossError("torn"));
  EXPECT_EQ(ReadAll(), absl::DataLossError("torn"));
  stream_->Close();
}

}  // namespace
}  // namespace jobtail::client
