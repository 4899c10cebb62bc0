// Tests of the log reader on connections that break at every place.

#include "client/log_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "client/client.h"
#include "fake_server.h"

namespace jobtail::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

ResumeOptions Quick() {
  ResumeOptions options;
  options.retry_for = absl::InfiniteDuration();
  options.backoff = {.initial = absl::Microseconds(10), .max = absl::Milliseconds(1)};
  return options;
}

v1::TailLogRequest Follow() {
  v1::TailLogRequest request;
  request.set_run("run-1");
  request.set_follow(true);
  return request;
}

struct Outcome {
  std::vector<int64_t> sequences;  // of the records, in the order of their coming
  absl::Status status;             // OK: the end
};

Outcome ReadAll(LogReader* reader) {
  Outcome outcome;
  while (true) {
    const absl::StatusOr<const v1::LogBatch*> batch = reader->Next();
    outcome.status = batch.status();
    if (!batch.ok() || *batch == nullptr) return outcome;
    for (const v1::LogLine& line : (*batch)->lines()) {
      if (line.sequence() > 0) outcome.sequences.push_back(line.sequence());
    }
  }
}

Outcome ReadAll(const FakeServer& server, const v1::TailLogRequest& request,
                ResumeOptions options = Quick()) {
  return ReadAll(Client(server.address()).Tail(request, std::move(options)).get());
}

std::vector<int64_t> Range(int64_t first, int64_t last) {
  std::vector<int64_t> range;
  for (int64_t i = first; i <= last; ++i) range.push_back(i);
  return range;
}

TEST(LogReaderTest, ReadsToTheResult) {
  FakeServer server;
  server.Serve({.log = NumberedLog(10)});
  const Outcome outcome = ReadAll(server, Follow());
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.sequences, Range(1, 11));
}

TEST(LogReaderTest, RepeatsTheEnd) {
  FakeServer server;
  server.Serve({.log = NumberedLog(1)});
  const auto reader = Client(server.address()).Tail(Follow(), Quick());
  ReadAll(reader.get());
  const absl::StatusOr<const v1::LogBatch*> again = reader->Next();
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, nullptr);
  EXPECT_THAT(server.tail_requests(), SizeIs(1));
}

TEST(LogReaderTest, ACutAtAnyPlaceLosesAndDoublesNothing) {
  for (const size_t batch : {1, 2, 7}) {
    for (int cut = 0; cut <= 22; ++cut) {
      FakeServer server;
      server.Serve({.log = NumberedLog(20), .cuts = {cut}, .batch = batch});
      EXPECT_EQ(ReadAll(server, Follow()).sequences, Range(1, 21)) << batch << " " << cut;
    }
  }
}

TEST(LogReaderTest, HundredsOfCutsLoseAndDoubleNothing) {
  Script script = {.log = NumberedLog(1000), .batch = 1};
  for (int i = 0; i < 400; ++i) script.cuts.push_back(i % 5);
  FakeServer server;
  server.Serve(std::move(script));
  const Outcome outcome = ReadAll(server, Follow());
  EXPECT_EQ(outcome.sequences, Range(1, 1001));
  EXPECT_THAT(server.tail_requests(), SizeIs(401));
}

TEST(LogReaderTest, CompressedLinesAreLikeAllOthersWhereverTheConnectionIsCut) {
  for (const auto compresses : {Script::Compresses::kMessages, Script::Compresses::kSomeOfEach}) {
    for (int cut = 0; cut <= 8; ++cut) {
      FakeServer server;
      server.Serve({.log = NumberedLog(20), .cuts = {cut}, .compresses = compresses});
      EXPECT_EQ(ReadAll(server, Follow()).sequences, Range(1, 21)) << cut;
    }
  }
}

TEST(LogReaderTest, CompressedLinesCanBeViewed) {
  FakeServer server;
  server.Serve({.log = NumberedLog(20), .compresses = Script::Compresses::kMessages});
  const auto reader = Client(server.address()).Tail(Follow(), Quick());
  std::vector<std::string> texts;
  while (true) {
    const absl::StatusOr<LogLines> lines = reader->NextLines();
    ASSERT_TRUE(lines.ok()) << lines.status();
    if (lines->is_end()) break;
    for (const LineView& line : lines->text) texts.emplace_back(line.bytes);
  }
  ASSERT_THAT(texts, SizeIs(::testing::Ge(18))) << "all but those beside the result";
  EXPECT_EQ(texts[0], "1");
  EXPECT_EQ(texts[17], "18");
}

TEST(LogReaderTest, LinesThatCannotBeDecompressedAreAskedForAsTheyAre) {
  FakeServer server;
  server.Serve({.log = NumberedLog(20), .compresses = Script::Compresses::kDamaged});
  const Outcome outcome = ReadAll(server, Follow());
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.sequences, Range(1, 21));
  const std::vector<v1::TailLogRequest> requests = server.tail_requests();
  ASSERT_THAT(requests, SizeIs(2));
  EXPECT_THAT(requests[0].accept_compression(), SizeIs(1));
  EXPECT_THAT(requests[1].accept_compression(), IsEmpty());
}

// It is no outage.
TEST(LogReaderTest, LinesThatCannotBeDecompressedAreAskedForAgainWithoutPatience) {
  FakeServer server;
  server.Serve({.log = NumberedLog(20), .compresses = Script::Compresses::kDamaged});
  const Client client(server.address());
  int outages = 0;
  const Outcome outcome =
      ReadAll(client
                  .Tail(Follow(), {.retry_for = absl::ZeroDuration(),
                                   .on_connection_lost = [&](const absl::Status&) { ++outages; }})
                  .get());
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.sequences, Range(1, 21));
  EXPECT_EQ(outages, 0);
}

TEST(LogReaderTest, LinesAreNotCompressedForAClientThatDoesNotWantIt) {
  FakeServer server;
  server.Serve({.log = NumberedLog(20), .compresses = Script::Compresses::kDamaged});
  const Client client(server.address(), {.accept_compression = false});
  EXPECT_EQ(ReadAll(client.Tail(Follow(), Quick()).get()).sequences, Range(1, 21));
  EXPECT_THAT(server.tail_requests(), SizeIs(1));
}

TEST(LogReaderTest, AServerThatSendsRecordsTwiceIsNotBelieved) {
  for (int64_t rewind = 1; rewind <= 6; ++rewind) {
    FakeServer server;
    server.Serve({.log = NumberedLog(20), .cuts = {3, 2, 4, 1, 5}, .batch = 2, .rewind = rewind});
    EXPECT_EQ(ReadAll(server, Follow()).sequences, Range(1, 21)) << rewind;
  }
}

TEST(LogReaderTest, ResumesAtTheNextRecord) {
  FakeServer server;
  server.Serve({.log = NumberedLog(10), .cuts = {3}, .batch = 2});  // the run, 1 2, 3 4
  ReadAll(server, Follow());
  const std::vector<v1::TailLogRequest> requests = server.tail_requests();
  ASSERT_THAT(requests, SizeIs(2));
  EXPECT_EQ(requests[0].start_case(), v1::TailLogRequest::START_NOT_SET);
  EXPECT_EQ(requests[1].from_sequence(), 5);
}

TEST(LogReaderTest, FiltersSurviveACutAtAnyPlace) {
  v1::TailLogRequest request = Follow();
  request.set_pattern("7");
  for (int cut = 0; cut <= 6; ++cut) {
    for (const bool names_resume_sequence : {false, true}) {
      FakeServer server;
      server.Serve({.log = NumberedLog(40),
                    .cuts = {cut},
                    .batch = 1,
                    .names_resume_sequence = names_resume_sequence});
      EXPECT_THAT(ReadAll(server, request).sequences, ElementsAre(7, 17, 27, 37, 41)) << cut;
    }
  }
}

TEST(LogReaderTest, GoesOnWhereALeavingServerSaysItHasLooked) {
  v1::TailLogRequest request = Follow();
  request.set_pattern("7");
  FakeServer server;
  server.Serve({.log = NumberedLog(40),
                .cuts = {2},  // after 7, once 17 is found
                .grown = {16},
                .batch = 1,
                .names_resume_sequence = true});
  EXPECT_THAT(ReadAll(server, request).sequences, ElementsAre(7, 17, 27, 37, 41));
  EXPECT_EQ(server.tail_requests().back().from_sequence(), 17);
}

// Lines are printed while the connection is down: they must not be taken for older ones.
TEST(LogReaderTest, LastLinesMeanTheSameAfterACutAtAnyPlace) {
  for (const int64_t last : {0, 1, 4, 100}) {
    for (int cut = 1; cut <= 6; ++cut) {
      v1::TailLogRequest request = Follow();
      request.set_last_lines(last);
      FakeServer server;
      server.Serve({.log = NumberedLog(20), .cuts = {cut}, .grown = {10, 15}, .batch = 1});
      EXPECT_EQ(ReadAll(server, request).sequences, Range(std::max<int64_t>(11 - last, 1), 21))
          << last << " " << cut;
    }
  }
}

TEST(LogReaderTest, LastLinesOfALogThatHasEnded) {
  v1::TailLogRequest request = Follow();
  request.set_last_lines(2);
  FakeServer server;
  server.Serve({.log = NumberedLog(10), .cuts = {0, 1, 2}, .batch = 1});
  EXPECT_THAT(ReadAll(server, request).sequences, ElementsAre(9, 10, 11));
}

TEST(LogReaderTest, EndsWithAnOrderlyStreamIfItNeedNotFollow) {
  v1::TailLogRequest request = Follow();
  request.set_follow(false);
  FakeServer server;
  server.on_tail = [](auto*, const auto&, FakeServer::Writer* writer) {
    v1::LogBatch batch;
    *batch.add_lines() = RunLine(v1::RUN_STATE_RUNNING, 2);
    *batch.add_lines() = Line(1, "a");
    *batch.add_lines() = Line(2, "b");
    writer->Write(batch);
    return grpc::Status::OK;
  };
  const Outcome outcome = ReadAll(server, request);
  EXPECT_TRUE(outcome.status.ok());
  EXPECT_THAT(outcome.sequences, ElementsAre(1, 2));
}

TEST(LogReaderTest, GoesOnAfterAnOrderlyEndIfTheRunGoesOn) {
  FakeServer server;
  server.on_tail = [&server](auto*, const auto&, FakeServer::Writer* writer) {
    const size_t number = server.tail_requests().size();
    v1::LogBatch batch;
    *batch.add_lines() = RunLine(v1::RUN_STATE_RUNNING, 1);
    if (number == 1) *batch.add_lines() = Line(1, "a");
    if (number == 3) *batch.add_lines() = ResultLine(2);
    writer->Write(batch);
    return grpc::Status::OK;
  };
  EXPECT_THAT(ReadAll(server, Follow()).sequences, ElementsAre(1, 2));
}

TEST(LogReaderTest, EndsPastTheResult) {
  v1::TailLogRequest request = Follow();
  request.set_from_sequence(12);
  FakeServer server;
  server.Serve({.log = NumberedLog(10)});
  const Outcome outcome = ReadAll(server, request);
  EXPECT_TRUE(outcome.status.ok());
  EXPECT_THAT(outcome.sequences, IsEmpty());
}

TEST(LogReaderTest, NeedsNothingMoreAfterTheResult) {
  FakeServer server;
  server.on_tail = [](grpc::ServerContext*, const auto&, FakeServer::Writer* writer) {
    v1::LogBatch batch;
    *batch.add_lines() = ResultLine(1);
    writer->Write(batch);
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "going down");
  };
  const Outcome outcome = ReadAll(server, Follow());
  EXPECT_TRUE(outcome.status.ok());
  EXPECT_THAT(server.tail_requests(), SizeIs(1));
}

TEST(LogReaderTest, SurvivesWhatAConnectionCanComeTo) {
  for (const grpc::StatusCode code :
       {grpc::StatusCode::UNAVAILABLE, grpc::StatusCode::INTERNAL, grpc::StatusCode::UNKNOWN,
        grpc::StatusCode::CANCELLED, grpc::StatusCode::ABORTED,
        grpc::StatusCode::DEADLINE_EXCEEDED}) {
    FakeServer server;
    server.on_tail = [&, code](grpc::ServerContext*, const auto&, FakeServer::Writer* writer) {
      v1::LogBatch batch;
      const bool first = server.tail_requests().size() == 1;
      *batch.add_lines() = first ? Line(1, "a") : ResultLine(2);
      writer->Write(batch);
      return first ? grpc::Status(code, "broken") : grpc::Status::OK;
    };
    EXPECT_THAT(ReadAll(server, Follow()).sequences, ElementsAre(1, 2)) << code;
  }
}

TEST(LogReaderTest, ReturnsWhatTheServerRefuses) {
  for (const grpc::StatusCode code :
       {grpc::StatusCode::NOT_FOUND, grpc::StatusCode::INVALID_ARGUMENT,
        grpc::StatusCode::OUT_OF_RANGE, grpc::StatusCode::RESOURCE_EXHAUSTED,
        grpc::StatusCode::UNIMPLEMENTED}) {
    FakeServer server;
    server.on_tail = [code](auto*, const auto&, auto*) { return grpc::Status(code, "refused"); };
    const Outcome outcome = ReadAll(server, Follow());
    EXPECT_EQ(static_cast<int>(outcome.status.code()), static_cast<int>(code));
    EXPECT_EQ(outcome.status.message(), "refused");
    EXPECT_THAT(server.tail_requests(), SizeIs(1));
  }
}

TEST(LogReaderTest, WaitsForItsOwnOldStreamToFreeItsPlace) {
  FakeServer server;
  server.on_tail = [&server](grpc::ServerContext*, const auto&, FakeServer::Writer* writer) {
    const size_t number = server.tail_requests().size();
    if (number == 2) return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too many readers");
    v1::LogBatch batch;
    *batch.add_lines() = number == 1 ? Line(1, "a") : ResultLine(2);
    writer->Write(batch);
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "cut");
  };
  EXPECT_THAT(ReadAll(server, Follow()).sequences, ElementsAre(1, 2));
}

TEST(LogReaderTest, SurvivesARestartOfTheServer) {
  auto server = std::make_unique<FakeServer>();
  server->on_tail = [](grpc::ServerContext* context, const auto&, FakeServer::Writer* writer) {
    v1::LogBatch batch;
    *batch.add_lines() = Line(1, "a");
    writer->Write(batch);
    while (!context->IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  };
  const auto reader = Client(server->address()).Tail(Follow(), Quick());
  ASSERT_TRUE(reader->Next().ok());
  const int port = server->port();
  server->Stop();
  FakeServer restarted(port);
  restarted.Serve({.log = NumberedLog(5)});
  EXPECT_EQ(ReadAll(reader.get()).sequences, Range(2, 6));
}

TEST(LogReaderTest, TellsOnceOfAnOutageAndOnceOfItsEnd) {
  FakeServer server;
  server.Serve({.log = NumberedLog(4), .cuts = {2, 0, 0, 0, 2}, .batch = 1});
  std::vector<std::string> events;
  ResumeOptions options = Quick();
  options.on_connection_lost = [&](const absl::Status& reason) {
    events.emplace_back(reason.message());
  };
  options.on_connected_again = [&] { events.push_back("again"); };
  ReadAll(server, Follow(), options);
  EXPECT_THAT(events, ElementsAre("cut by the script", "again", "cut by the script", "again"));
}

TEST(LogReaderTest, GivesUpAndTellsWhereToGoOn) {
  FakeServer server;
  server.Serve({.log = NumberedLog(10), .cuts = std::vector<int>(10'000, 0), .batch = 1});
  ResumeOptions options = Quick();
  options.retry_for = absl::Milliseconds(5);
  v1::TailLogRequest request = Follow();
  request.set_from_sequence(4);
  const Outcome outcome = ReadAll(server, request, options);
  EXPECT_TRUE(absl::IsUnavailable(outcome.status));
  EXPECT_THAT(std::string(outcome.status.message()),
              HasSubstr("nothing heard from the server for 5ms: cut by the script; go on with "
                        "from_sequence=4"));
}

TEST(LogReaderTest, DoesNotRetryIfToldSo) {
  FakeServer server;
  server.Serve({.log = NumberedLog(10), .cuts = {3, 3}, .batch = 1});
  ResumeOptions options = Quick();
  options.retry_for = absl::ZeroDuration();
  const Outcome outcome = ReadAll(server, Follow(), options);
  EXPECT_THAT(outcome.sequences, ElementsAre(1, 2));
  EXPECT_EQ(outcome.status.message(), "cut by the script; go on with from_sequence=3");
  EXPECT_THAT(server.tail_requests(), SizeIs(1));
}

TEST(LogReaderTest, GivesUpOnAServerThatIsNotThere) {
  FakeServer server;
  server.Stop();
  ResumeOptions options = Quick();
  options.retry_for = absl::Milliseconds(5);
  const Outcome outcome = ReadAll(server, Follow(), options);
  EXPECT_TRUE(absl::IsUnavailable(outcome.status)) << outcome.status;
}

TEST(LogReaderTest, CancelEndsAWaitForLines) {
  absl::Notification entered;
  FakeServer server;
  server.on_tail = [&](grpc::ServerContext* context, const auto&, auto*) {
    entered.Notify();
    while (!context->IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  };
  const auto reader = Client(server.address()).Tail(Follow(), Quick());
  std::thread canceller([&] {
    entered.WaitForNotification();
    reader->Cancel();
  });
  EXPECT_TRUE(absl::IsCancelled(reader->Next().status()));
  EXPECT_TRUE(absl::IsCancelled(reader->Next().status()));
  canceller.join();
}

TEST(LogReaderTest, CancelEndsAWaitToRetry) {
  FakeServer server;
  server.Stop();
  absl::Notification lost;
  ResumeOptions options;
  options.backoff = {.initial = absl::Hours(1), .max = absl::Hours(1)};
  options.retry_for = absl::InfiniteDuration();
  options.on_connection_lost = [&](const absl::Status&) { lost.Notify(); };
  const auto reader = Client(server.address()).Tail(Follow(), options);
  std::thread canceller([&] {
    lost.WaitForNotification();
    reader->Cancel();
  });
  EXPECT_TRUE(absl::IsCancelled(reader->Next().status()));
  canceller.join();
}

TEST(LogReaderTest, CancelBeforeTheFirstCall) {
  FakeServer server;
  server.Serve({.log = NumberedLog(1)});
  const auto reader = Client(server.address()).Tail(Follow(), Quick());
  reader->Cancel();
  EXPECT_TRUE(absl::IsCancelled(reader->Next().status()));
  EXPECT_THAT(server.tail_requests(), IsEmpty());
}

TEST(LogReaderTest, CanBeDestroyedInTheMiddle) {
  FakeServer server;
  server.Serve({.log = NumberedLog(100'000), .batch = 100});
  const auto reader = Client(server.address()).Tail(Follow(), Quick());
  EXPECT_TRUE(reader->Next().ok());
}

TEST(LogReaderTest, OutlivesItsClient) {
  FakeServer server;
  server.Serve({.log = NumberedLog(10)});
  auto client = std::make_unique<Client>(server.address());
  const auto reader = client->Tail(Follow(), Quick());
  client.reset();
  EXPECT_EQ(ReadAll(reader.get()).sequences, Range(1, 11));
}

}  // namespace
}  // namespace jobtail::client
