// One function for each call: from a request to a message, from a result to a reply.
#include "server/http/api.h"

#include <google/protobuf/util/json_util.h>

#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/quoting.h"
#include "base/utf8.h"
#include "server/http/accept.h"
#include "server/http/html.h"
#include "server/http/json_check.h"
#include "server/http/static_files.h"
#include "server/http/status.h"
#include "server/log/batch.h"

namespace jobtail::http {
namespace {

constexpr std::string_view kStreamPath = "/stream/";

// Of encoded records: a full batch, so that none is cut in two, and each looked at once. What is
// rendered of it is a few times as large.
constexpr size_t kPieceBytes = kBatchBytes;

absl::StatusOr<Reply> JsonReply(const google::protobuf::Message& message) {
  Reply reply;
  if (!google::protobuf::util::MessageToJsonString(message, &reply.body).ok()) {
    return absl::InternalError(absl::StrCat("the ", message.GetTypeName(), " is no JSON"));
  }
  return reply;
}

absl::Status ParseBody(const std::string& body, google::protobuf::Message* message) {
  if (body.empty()) return absl::OkStatus();
  if (absl::Status clear = CheckJson(body, *message->GetDescriptor()); !clear.ok()) return clear;
  const auto parsed = google::protobuf::util::JsonStringToMessage(body, message);
  if (parsed.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the body is no JSON of a ", message->GetTypeName(), ": ",
                   ToUtf8(std::string(parsed.message().data(), parsed.message().size()), 1000)));
}

absl::Status CheckNoBody(const std::string& body) {
  const absl::string_view text = absl::StripAsciiWhitespace(body);
  if (text.empty() || text == "{}") return absl::OkStatus();
  return absl::InvalidArgumentError(
      "this call has no body; give its fields in the address, such as ?page_size=10");
}

// The message of the call: from the body or the query, and from the path.
template <typename T>
absl::StatusOr<T> Parse(const Match& match, const Request& request) {
  T message;
  const absl::StatusOr<Query> query = ParseQuery(request.query);
  if (!query.ok()) return query.status();
  absl::Status set =
      match.route->has_body ? CheckNoQuery(*query, *T::descriptor()) : CheckNoBody(request.body);
  if (set.ok())
    set = match.route->has_body ? ParseBody(request.body, &message) : SetFields(*query, &message);
  if (set.ok()) set = SetVariable(VariableOf(match.route->pattern), match.variable, &message);
  if (!set.ok()) return set;
  return message;
}

// Answers a call that has one answer.
template <typename T, typename F>
absl::StatusOr<Reply> Answer(const Match& match, const Request& request, F call) {
  const absl::StatusOr<T> message = Parse<T>(match, request);
  if (!message.ok()) return message.status();
  const auto result = call(*message);
  if (!result.ok()) return result.status();
  return JsonReply(*result);
}

Reply StreamReply(std::unique_ptr<Feed> feed, StreamForm form, std::string run) {
  Reply reply;
  reply.content_type = ContentType(form.format());
  reply.feed = std::move(feed);
  reply.form = std::move(form);
  reply.run = std::move(run);
  return reply;
}

// A browser that lost the connection names the last record it has seen; that goes before whatever
// its address says.
absl::Status Resume(const std::string& last_event_id, v1::TailLogRequest* request) {
  if (last_event_id.empty()) return absl::OkStatus();
  int64_t sequence;
  if (!absl::SimpleAtoi(last_event_id, &sequence) || sequence < 0 ||
      sequence == std::numeric_limits<int64_t>::max()) {
    return absl::InvalidArgumentError(absl::StrCat("Last-Event-ID: ", Quoted(last_event_id),
                                                   ": give a record's sequence number"));
  }
  request->set_from_sequence(sequence + 1);
  return absl::OkStatus();
}

// The job's parameters, each as it was given or not at all.
absl::Status SetParameters(const Query& query, v1::RunJobRequest* request) {
  for (const auto& [name, value] : query) {
    const std::string parameter = absl::StrCat("parameter ", Quoted(name));
    if (!IsUtf8(name)) {
      return absl::InvalidArgumentError(absl::StrCat(parameter, ": give a name in UTF-8"));
    }
    if (!IsUtf8(value)) {
      return absl::InvalidArgumentError(
          absl::StrCat(parameter, "=", Quoted(value), ": give text in UTF-8"));
    }
    if (!request->mutable_parameters()->insert({name, value}).second) {
      return absl::InvalidArgumentError(absl::StrCat(parameter, " is given twice; give it once"));
    }
  }
  return absl::OkStatus();
}

// For what is done for whoever follows a stream, and for nobody else.
absl::Status CheckClient(const Request& request) {
  if (!request.is_client_gone || !request.is_client_gone()) return absl::OkStatus();
  return absl::CancelledError("the client has gone away");
}

Reply NotAcceptable() {
  return ErrorReply(absl::InvalidArgumentError(
                        "Accept: there is text/plain, application/x-ndjson and text/event-stream"),
                    406);
}

}  // namespace

Reply ErrorReply(const absl::Status& error, unsigned status) {
  Reply reply;
  reply.status = status != 0 ? status : ToHttpStatus(error.code());
  reply.body = ToJson(error);
  reply.retry_after = access::RetryAfter(error);
  return reply;
}

Reply Api::Handle(const Request& request) {
  const absl::StatusOr<Match> match = FindRoute(request.method, request.path);
  if (!match.ok()) {
    Reply reply = ErrorReply(match.status(), absl::IsUnimplemented(match.status()) ? 405 : 0);
    reply.allow = AllowedMethods(request.path);
    return reply;
  }
  absl::StatusOr<Reply> reply = Dispatch(*match, request);
  return reply.ok() ? *std::move(reply) : ErrorReply(reply.status());
}

absl::StatusOr<Reply> Api::Dispatch(const Match& match, const Request& request) {
  switch (match.route->call) {
    case Call::kListJobs:
      return Answer<v1::ListJobsRequest>(match, request, [&](const auto& parsed) {
        return engine_->ListJobs(parsed, request.caller);
      });
    case Call::kGetJob:
      return Answer<v1::GetJobRequest>(match, request, [&](const auto& parsed) {
        return engine_->GetJob(parsed, request.caller);
      });
    case Call::kCreateRun:
      return Answer<v1::CreateRunRequest>(match, request, [&](const auto& parsed) {
        return engine_->CreateRun(parsed, request.caller);
      });
    case Call::kListRuns:
      return Answer<v1::ListRunsRequest>(match, request, [&](const auto& parsed) {
        return engine_->ListRuns(parsed, request.caller);
      });
    case Call::kGetRun:
      return Answer<v1::GetRunRequest>(match, request, [&](const auto& parsed) {
        return engine_->GetRun(parsed, request.caller);
      });
    case Call::kCancelRun:
      return Answer<v1::CancelRunRequest>(match, request, [&](const auto& parsed) {
        return engine_->CancelRun(parsed, request.caller);
      });
    case Call::kDeleteRun:
      return DeleteRun(match, request);
    case Call::kWhoAmI:
      return Answer<v1::WhoAmIRequest>(match, request, [&](const auto& parsed) {
        return engine_->WhoAmI(parsed, request.caller);
      });
    case Call::kRunJob:
      return RunJob(match, request);
    case Call::kTailLog:
      return TailLog(match, request);
    case Call::kWatchRuns:
      return WatchRuns(match, request);
  }
  return absl::InternalError("a route without a call");
}

absl::StatusOr<Reply> Api::DeleteRun(const Match& match, const Request& request) {
  const auto parsed = Parse<v1::DeleteRunRequest>(match, request);
  if (!parsed.ok()) return parsed.status();
  if (absl::Status deleted = engine_->DeleteRun(*parsed, request.caller); !deleted.ok())
    return deleted;
  Reply reply;
  reply.body = "{}";
  return reply;
}

absl::StatusOr<Reply> Api::TailLog(const Match& match, const Request& request) {
  const std::optional<Format> format = ChooseFormat(request.accept, Format::kText);
  if (!format) return NotAcceptable();
  auto parsed = Parse<v1::TailLogRequest>(match, request);
  if (!parsed.ok()) return parsed.status();
  if (absl::Status resumed = Resume(request.last_event_id, &*parsed); !resumed.ok()) return resumed;
  if (absl::Status there = CheckClient(request); !there.ok()) return there;
  auto cursor = engine_->TailLog(*parsed, request.caller);
  if (!cursor.ok()) return cursor.status();
  return StreamReply(std::make_unique<LogFeed>(*std::move(cursor), kPieceBytes, nullptr),
                     StreamForm::OfLog(*format, &cache_), parsed->run());
}

absl::StatusOr<Reply> Api::RunJob(const Match& match, const Request& request) {
  const std::optional<Format> format = ChooseFormat(request.accept, Format::kText);
  if (!format) return NotAcceptable();
  const auto parsed = Parse<v1::RunJobRequest>(match, request);
  if (!parsed.ok()) return parsed.status();
  return Follow(request, *parsed, *format);
}

// Starts a run and follows it; not for a client that has given up while the call waited.
absl::StatusOr<Reply> Api::Follow(const Request& request, const v1::RunJobRequest& run,
                                  Format format) {
  if (absl::Status there = CheckClient(request); !there.ok()) return there;
  auto started = engine_->RunJob(run, request.caller);
  if (!started.ok()) return started.status();
  std::function<void()> on_gone;
  if (run.on_disconnect() == v1::ON_DISCONNECT_CANCEL) {
    on_gone = [engine = engine_, run = started->run, caller = request.caller] {
      engine->CancelAbandoned(run, caller);
    };
  }
  std::string head =
      format == Format::kHtml ? HtmlHead(run.job(), started->run, RootOf(request.path)) : "";
  auto feed =
      std::make_unique<LogFeed>(std::move(started->cursor), kPieceBytes, std::move(on_gone));
  return StreamReply(std::move(feed), StreamForm::OfLog(format, &cache_, std::move(head)),
                     started->run);
}

absl::StatusOr<Reply> Api::WatchRuns(const Match& match, const Request& request) {
  const std::optional<Format> format = ChooseFormat(request.accept, Format::kNdjson);
  if (format != Format::kNdjson && format != Format::kEventStream) return NotAcceptable();
  const auto parsed = Parse<v1::WatchRunsRequest>(match, request);
  if (!parsed.ok()) return parsed.status();
  auto watch = engine_->WatchRuns(*parsed, request.caller);
  if (!watch.ok()) return watch.status();
  return StreamReply(std::make_unique<RunFeed>(*std::move(watch)), StreamForm::OfRuns(*format), "");
}

Reply Api::RunInPage(const Request& request, bool from_own_page) {
  absl::StatusOr<Reply> reply = StartInPage(request, from_own_page);
  if (reply.ok()) return *std::move(reply);
  Reply error = ErrorReply(reply.status());
  if (absl::StrContains(request.accept, "text/html")) {
    error.content_type = ContentType(Format::kHtml);
    error.body =
        HtmlError(ToUtf8(std::string(reply.status().message()), 10'000), RootOf(request.path));
  }
  return error;
}

// To a POST it is an error, since nothing has been started.
absl::StatusOr<Reply> Api::AskInPage(const Request& request, const std::string& job,
                                     const Query& parameters) {
  v1::GetJobRequest get;
  get.set_job(job);
  const auto found = engine_->GetJob(get, request.caller);
  if (!found.ok()) return found.status();
  Reply reply;
  reply.status = request.method == "POST" ? 403 : 200;
  reply.content_type = ContentType(Format::kHtml);
  reply.body = HtmlQuestion(*found, parameters);
  return reply;
}

absl::StatusOr<Reply> Api::StartInPage(const Request& request, bool from_own_page) {
  if (!absl::StripAsciiWhitespace(request.body).empty()) {
    return absl::InvalidArgumentError(
        "this call has no body; give the job's parameters in the address, such as ?times=10");
  }
  auto job = PercentDecode(std::string_view(request.path).substr(kStreamPath.size()), false);
  if (!job.ok()) return job.status();
  const absl::StatusOr<Query> query = ParseQuery(request.query);
  if (!query.ok()) return query.status();
  if (!IsUtf8(*job)) {
    return absl::InvalidArgumentError(absl::StrCat("job ", Quoted(*job), ": give text in UTF-8"));
  }
  v1::RunJobRequest run;
  run.set_job(*std::move(job));
  if (absl::Status set = SetParameters(*query, &run); !set.ok()) return set;
  if (request.method != "POST" || !from_own_page) return AskInPage(request, run.job(), *query);
  return Follow(request, run, Format::kHtml);
}

}  // namespace jobtail::http
