// How errors of the core reach a client.

#include <gmock/gmock.h>

#include <chrono>

#include "absl/strings/str_cat.h"
#include "tests/e2e/fixture.h"
#include "tests/e2e/raw_call.h"

namespace jobtail::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

void ExpectError(const grpc::Status& status, grpc::StatusCode code, const std::string& message) {
  EXPECT_EQ(status.error_code(), code) << status.error_message();
  EXPECT_THAT(status.error_message(), HasSubstr(message));
}

class Errors : public ::testing::Test {
 protected:
  Errors() : server_(Limited()) {
    server_.Add("quick", [](JobContext&) { puts("line"); });
    server_.Add("waits", [](JobContext& run) { run.SleepFor(absl::InfiniteDuration()); });
  }

  static ServerOptions Limited() {
    ServerOptions options;
    options.engine.max_active_runs = 1;
    return options;
  }

  template <typename Request, typename Stream>
  grpc::Status Refusal(std::unique_ptr<grpc::ClientReader<Stream>> (v1::JobService::Stub::*method)(
                           grpc::ClientContext*, const Request&),
                       const Request& request) {
    grpc::ClientContext context;
    const auto reader = (server_.stub().*method)(&context, request);
    Stream message;
    EXPECT_FALSE(reader->Read(&message)) << "an error comes alone";
    return reader->Finish();
  }

  grpc::Status TailError(const v1::TailLogRequest& request) {
    return Refusal(&v1::JobService::Stub::TailLog, request);
  }

  EmbeddedServer server_;
};

TEST_F(Errors, OfTailLog) {
  ExpectError(TailError(Follow("nope")), grpc::StatusCode::NOT_FOUND, "no run \"nope\"");
  ExpectError(TailError(Follow("")), grpc::StatusCode::INVALID_ARGUMENT, "run is empty");
  v1::TailLogRequest request = Follow(StartRun(server_.stub(), "quick"));
  Tail(server_.stub(), request);
  request.set_from_sequence(4);
  ExpectError(TailError(request), grpc::StatusCode::OUT_OF_RANGE, "use 1 to 3");
  request.set_last_lines(-1);
  ExpectError(TailError(request), grpc::StatusCode::INVALID_ARGUMENT, "last_lines -1");
  request.set_last_lines(1);
  request.set_pattern("(");
  ExpectError(TailError(request), grpc::StatusCode::INVALID_ARGUMENT, "pattern \"(\"");
}

TEST_F(Errors, OfRunJob) {
  const auto refusal = [this](const v1::RunJobRequest& request) {
    return Refusal(&v1::JobService::Stub::RunJob, request);
  };
  ExpectError(refusal(RunRequest("nope")), grpc::StatusCode::NOT_FOUND, "there are: quick, waits");
  ExpectError(refusal(RunRequest("quick", {{"caf\xC3\xA9", ""}})),
              grpc::StatusCode::INVALID_ARGUMENT, "has no parameter");
  StartRun(server_.stub(), "waits");
  ExpectError(refusal(RunRequest("quick")), grpc::StatusCode::RESOURCE_EXHAUSTED,
              "on this server, 1 at work (at most 1)");
}

TEST_F(Errors, OfWatchRuns) {
  v1::WatchRunsRequest request;
  request.set_job("nope");
  ExpectError(Refusal(&v1::JobService::Stub::WatchRuns, request), grpc::StatusCode::NOT_FOUND,
              "no job \"nope\"");
}

TEST_F(Errors, OfUnaryCalls) {
  v1::DeleteRunRequest request;
  request.set_run(StartRun(server_.stub(), "waits"));
  google::protobuf::Empty empty;
  grpc::ClientContext context;
  ExpectError(server_.stub().DeleteRun(&context, request, &empty),
              grpc::StatusCode::FAILED_PRECONDITION, "cancel it first");
  v1::ListRunsRequest list;
  list.set_page_size(-1);
  v1::ListRunsResponse runs;
  grpc::ClientContext list_context;
  ExpectError(server_.stub().ListRuns(&list_context, list, &runs),
              grpc::StatusCode::INVALID_ARGUMENT, "page_size -1");
}

// The streams take their requests apart themselves.
TEST_F(Errors, OfRequestsThatAreNone) {
  const auto channel = OpenChannel(server_.server().grpc_address());
  const std::vector<std::string> no_requests = {"\xFF\xFF", "\x0A\x7F", "\x0A\x01\xFF"};
  for (const std::string& bytes : no_requests) {
    for (const char* method : {"TailLog", "RunJob", "WatchRuns"}) {
      const RawReply reply =
          RawCall(channel, absl::StrCat("/jobtail.v1.JobService/", method), bytes);
      ExpectError(reply.status, grpc::StatusCode::INVALID_ARGUMENT,
                  absl::StrCat("the request's bytes are not a jobtail.v1.", method, "Request"));
      EXPECT_THAT(reply.messages, IsEmpty());
    }
  }
}

TEST_F(Errors, LeaveTheServerAsItWas) {
  for (int i = 0; i < 200; ++i) TailError(Follow("nope"));
  EXPECT_EQ(Tail(server_.stub(), Follow(StartRun(server_.stub(), "quick"))).last_sequence(), 2);
}

// As much as a proxy's cookies may be. What is larger fails by itself, as far as gRPC 1.51 lets a
// server decide: at 256 KiB it ends the connection, and its readers come again.
TEST_F(Errors, OfMetadataThatIsTooLargeAreOfThatCallAlone) {
  const std::string run = StartRun(server_.stub(), "waits");
  grpc::ClientContext stream;
  const auto reader = server_.stub().TailLog(&stream, Follow(run));
  v1::LogBatch batch;
  ASSERT_TRUE(reader->Read(&batch));
  const auto add = [](size_t bytes, grpc::ClientContext* context) {
    for (size_t i = 0; i < bytes >> 10; ++i) {
      context->AddMetadata("cookie-" + std::to_string(i), std::string(1000, 'x'));
    }
  };
  const auto call_with = [&](size_t bytes) {
    grpc::ClientContext context;
    add(bytes, &context);
    v1::GetRunRequest request;
    request.set_run(run);
    v1::Run answer;
    return server_.stub().GetRun(&context, request, &answer);
  };
  EXPECT_TRUE(call_with(50 << 10).ok()) << call_with(50 << 10).error_message();
  for (const size_t bytes : {100 << 10, 200 << 10}) {
    const grpc::Status refused = call_with(bytes);
    EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    EXPECT_THAT(refused.error_message(), HasSubstr("of which there may be 65536"));
    grpc::ClientContext context;
    add(bytes, &context);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(30));
    const auto none = server_.stub().TailLog(&context, Follow(run));
    EXPECT_FALSE(none->Read(&batch));
    EXPECT_THAT(none->Finish().error_message(), HasSubstr("of which there may be 65536"));
  }
  v1::CancelRunRequest cancel;
  cancel.set_run(run);
  v1::Run cancelled;
  grpc::ClientContext context;
  EXPECT_TRUE(server_.stub().CancelRun(&context, cancel, &cancelled).ok());
  bool ended = false;
  while (reader->Read(&batch)) {
    for (const v1::LogLine& line : batch.lines()) ended |= line.has_result();
  }
  const grpc::Status went_on = reader->Finish();
  EXPECT_TRUE(went_on.ok()) << "the stream of the same connection: " << went_on.error_message();
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace jobtail::e2e
