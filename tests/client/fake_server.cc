// The scripted server: its log connections, messages and calls.

#include "fake_server.h"

#include <lz4.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace jobtail::client {
namespace {

// Whether a filter lets a record through. The pattern is a part of the text here.
bool Matches(const v1::TailLogRequest& request, const v1::LogLine& line) {
  if (!line.has_text() && !line.has_raw()) return true;
  const auto& streams = request.streams();
  if (!streams.empty() && std::find(streams.begin(), streams.end(), line.stream()) == streams.end())
    return false;
  return line.text().find(request.pattern()) != std::string::npos;
}

// One connection of a scripted log.
class Connection {
 public:
  Connection(const Script& script, size_t number, const v1::TailLogRequest& request,
             grpc::ServerContext* context, FakeServer::Writer* writer)
      : script_(script), number_(number), request_(request), context_(context), writer_(writer) {}

  grpc::Status Serve() {
    const size_t count =
        number_ < script_.grown.size() ? script_.grown[number_] : script_.log.size();
    const bool ended = count == script_.log.size();
    Add(RunLine(ended ? v1::RUN_STATE_SUCCEEDED : v1::RUN_STATE_RUNNING,
                count > 0 ? script_.log[count - 1].sequence() : 0));
    Flush();
    int64_t first = First(count, ended);
    if (number_ > 0) first -= script_.rewind;
    for (size_t i = 0; i < count && !broken_; ++i) {
      const v1::LogLine& line = script_.log[i];
      if (line.sequence() < first) continue;
      looked_at_ = line.sequence();
      if (Matches(request_, line)) Add(line);
    }
    Flush();
    return broken_ || !ended ? Broken() : grpc::Status::OK;
  }

 private:
  int64_t First(size_t count, bool ended) const {
    const int64_t last = count > 0 ? script_.log[count - 1].sequence() : 0;
    switch (request_.start_case()) {
      case v1::TailLogRequest::kFromSequence:
        return request_.from_sequence();
      case v1::TailLogRequest::kLastLines:
        return last + 1 - request_.last_lines() - (ended ? 1 : 0);
      default:
        return 1;
    }
  }

  void Add(const v1::LogLine& line) {
    if (broken_) return;
    *batch_.add_lines() = line;
    if (static_cast<size_t>(batch_.lines_size()) >= script_.batch) Flush();
  }

  void Flush() {
    if (broken_ || batch_.lines().empty()) return;
    if (number_ < script_.cuts.size() && sent_ == script_.cuts[number_]) {
      broken_ = true;
      looked_at_ = std::max<int64_t>(batch_.lines(0).sequence() - 1, 0);
      return;
    }
    Compress();
    writer_->Write(batch_);
    batch_.Clear();
    ++sent_;
  }

  // Puts lines, or those behind the first, into the message's other field.
  void Compress() {
    using Compresses = Script::Compresses;
    if (script_.compresses == Compresses::kNothing) return;
    if (request_.accept_compression().empty()) return;
    v1::LogBatch rest;
    const int first = script_.compresses == Compresses::kSomeOfEach ? 1 : 0;
    for (int i = first; i < batch_.lines_size(); ++i) *rest.add_lines() = batch_.lines(i);
    while (batch_.lines_size() > first) batch_.mutable_lines()->RemoveLast();
    for (const v1::LogLine& line : rest.lines()) {
      v1::LogBatch one;
      *one.add_lines() = line;
      AddCompressed(one.SerializeAsString());
    }
  }

  // As it is, which LZ4 has a form for, too.
  void AddCompressed(const std::string& bytes) {
    v1::CompressedBatch* const added = batch_.add_compressed();
    added->set_compression(v1::COMPRESSION_LZ4_BLOCK);
    added->set_size(static_cast<int64_t>(bytes.size()));
    std::string* const data = added->mutable_data();
    data->resize(LZ4_compressBound(static_cast<int>(bytes.size())));
    const int size = LZ4_compress_default(
        bytes.data(), data->data(), static_cast<int>(bytes.size()), static_cast<int>(data->size()));
    data->resize(size);
    if (script_.compresses == Script::Compresses::kDamaged) data->resize(size - 1);
  }

  grpc::Status Broken() {
    if (script_.names_resume_sequence) {
      context_->AddTrailingMetadata("jobtail-resume-sequence", std::to_string(looked_at_ + 1));
    }
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "cut by the script");
  }

  const Script& script_;
  const size_t number_;
  const v1::TailLogRequest& request_;
  grpc::ServerContext* const context_;
  FakeServer::Writer* const writer_;
  v1::LogBatch batch_;
  int sent_ = 0;
  int64_t looked_at_ = 0;
  bool broken_ = false;
};

template <typename Function, typename... Arguments>
grpc::Status CallIfSet(const Function& function, Arguments&&... arguments) {
  if (!function) return grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "not scripted");
  return function(std::forward<Arguments>(arguments)...);
}

}  // namespace

v1::LogLine Line(int64_t sequence, const std::string& text, v1::Stream stream, v1::Ending ending) {
  v1::LogLine line;
  line.set_sequence(sequence);
  line.mutable_time()->set_seconds(1'700'000'000 + sequence % 1'000'000);  // of any number
  line.set_stream(stream);
  line.set_ending(ending);
  line.set_text(text);
  return line;
}

v1::LogLine RunLine(v1::RunState state, int64_t last_sequence) {
  v1::LogLine line;
  line.mutable_run()->set_id("run-1");
  line.mutable_run()->set_job("job");
  line.mutable_run()->set_state(state);
  line.mutable_run()->set_last_sequence(last_sequence);
  return line;
}

v1::LogLine GapLine(int64_t first, int64_t last, v1::GapReason reason) {
  v1::LogLine line;
  line.set_sequence(last);
  line.mutable_time()->set_seconds(1'700'000'000 + last);
  line.mutable_gap()->set_first(first);
  line.mutable_gap()->set_last(last);
  line.mutable_gap()->set_reason(reason);
  return line;
}

v1::LogLine ResultLine(int64_t sequence, v1::RunState state, int exit_code) {
  v1::LogLine line;
  line.set_sequence(sequence);
  line.mutable_time()->set_seconds(1'700'000'000 + sequence);
  line.mutable_result()->set_state(state);
  line.mutable_result()->set_exit_code(exit_code);
  return line;
}

std::vector<v1::LogLine> NumberedLog(int64_t count) {
  std::vector<v1::LogLine> log;
  for (int64_t i = 1; i <= count; ++i) log.push_back(Line(i, std::to_string(i)));
  log.push_back(ResultLine(count + 1));
  return log;
}

FakeServer::FakeServer(int port) {
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + std::to_string(port), grpc::InsecureServerCredentials(),
                           &port_);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
}

FakeServer::~FakeServer() { Stop(); }

void FakeServer::Stop() {
  if (server_ == nullptr) return;
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
  server_.reset();
}

void FakeServer::Serve(Script script) {
  on_tail = [this, script = std::move(script)](grpc::ServerContext* context,
                                               const v1::TailLogRequest& request, Writer* writer) {
    const size_t number = tail_requests().size() - 1;
    return Connection(script, number, request, context, writer).Serve();
  };
}

std::vector<v1::TailLogRequest> FakeServer::tail_requests() const {
  absl::MutexLock lock(&mutex_);
  return tail_requests_;
}

grpc::Status FakeServer::TailLog(grpc::ServerContext* context, const v1::TailLogRequest* request,
                                 Writer* writer) {
  {
    absl::MutexLock lock(&mutex_);
    tail_requests_.push_back(*request);
  }
  return CallIfSet(on_tail, context, *request, writer);
}

// As the real one does, it answers before there is anything to tell.
grpc::Status FakeServer::WatchRuns(grpc::ServerContext* context,
                                   const v1::WatchRunsRequest* request, RunWriter* writer) {
  writer->SendInitialMetadata();
  return CallIfSet(on_watch, context, *request, writer);
}

grpc::Status FakeServer::GetJob(grpc::ServerContext*, const v1::GetJobRequest* request,
                                v1::Job* job) {
  return CallIfSet(on_get_job, *request, job);
}

grpc::Status FakeServer::CreateRun(grpc::ServerContext*, const v1::CreateRunRequest* request,
                                   v1::Run* run) {
  return CallIfSet(on_create_run, *request, run);
}

grpc::Status FakeServer::GetRun(grpc::ServerContext*, const v1::GetRunRequest* request,
                                v1::Run* run) {
  return CallIfSet(on_get_run, *request, run);
}

grpc::Status FakeServer::CancelRun(grpc::ServerContext*, const v1::CancelRunRequest* request,
                                   v1::Run* run) {
  return CallIfSet(on_cancel_run, *request, run);
}

grpc::Status FakeServer::DeleteRun(grpc::ServerContext*, const v1::DeleteRunRequest* request,
                                   google::protobuf::Empty*) {
  return CallIfSet(on_delete_run, *request);
}

grpc::Status FakeServer::ListRuns(grpc::ServerContext*, const v1::ListRunsRequest* request,
                                  v1::ListRunsResponse* response) {
  return CallIfSet(on_list_runs, *request, response);
}

grpc::Status FakeServer::ListJobs(grpc::ServerContext*, const v1::ListJobsRequest* request,
                                  v1::ListJobsResponse* response) {
  return CallIfSet(on_list_jobs, *request, response);
}

}  // namespace jobtail::client
