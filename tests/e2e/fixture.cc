// The servers and calls that end-to-end tests share.

#include "tests/e2e/fixture.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/functional/function_ref.h"
#include "server/log/record.h"

namespace jobtail::e2e {
namespace {

std::vector<std::string> Command(const std::string& program, std::vector<std::string> flags) {
  for (const std::string door : {"--grpc-address=", "--http-address="}) {
    const bool is_given = std::ranges::any_of(
        flags, [&door](const std::string& flag) { return flag.starts_with(door); });
    if (!is_given) flags.insert(flags.begin(), door + "127.0.0.1:0");
  }
  flags.insert(flags.begin(), program);
  return flags;
}

ServerOptions OnAnyPort(ServerOptions options) {
  for (std::string* address : {&options.grpc_address, &options.http.address}) {
    if (!address->starts_with("unix:")) *address = "127.0.0.1:0";
  }
  return options;
}

void WaitUntil(v1::JobService::Stub& stub, const std::string& run,
               absl::FunctionRef<bool(const v1::Run&)> is_so) {
  while (!is_so(GetRun(stub, run))) {
    grpc::ClientContext context;  // what happens before the server watches is not told: look again
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(1));
    const auto reader = stub.WatchRuns(&context, {});
    for (v1::Run change; reader->Read(&change);) {
      if (change.id() == run && is_so(change)) break;
    }
    context.TryCancel();
    reader->Finish();
  }
}

}  // namespace

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);  // small windows: who stops reading is felt soon
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

std::unique_ptr<v1::JobService::Stub> Connect(const std::string& address) {
  return v1::JobService::NewStub(OpenChannel(address));
}

EmbeddedServer::EmbeddedServer(ServerOptions options) : server_(OnAnyPort(std::move(options))) {
  const absl::Status started = server_.Start();
  EXPECT_TRUE(started.ok()) << started;
  stub_ = Connect(server_.grpc_address());
}

DemoServer::DemoServer(std::vector<std::string> flags, const std::string& program)
    : process_({.command = Command(program, std::move(flags))}) {
  address_ = ReadAddress("grpc ");
  http_url_ = ReadAddress("http ");
  stub_ = Connect(address_);
}

// Other threads of the server may have printed by then.
std::string DemoServer::ReadAddress(const std::string& door) {
  while (const std::optional<std::string> line = process_.ReadLine()) {
    if (line->starts_with(door)) return line->substr(door.size());
  }
  ADD_FAILURE() << "the server has not told its address for " << door;
  return "";
}

v1::RunJobRequest RunRequest(const std::string& job, const Parameters& parameters) {
  v1::RunJobRequest request;
  request.set_job(job);
  for (const auto& [name, value] : parameters) (*request.mutable_parameters())[name] = value;
  return request;
}

std::string StartRun(v1::JobService::Stub& stub, const std::string& job,
                     const Parameters& parameters) {
  v1::CreateRunRequest request;
  request.set_job(job);
  for (const auto& [name, value] : parameters) (*request.mutable_parameters())[name] = value;
  v1::Run run;
  grpc::ClientContext context;
  const grpc::Status status = stub.CreateRun(&context, request, &run);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return run.id();
}

v1::Run GetRun(v1::JobService::Stub& stub, const std::string& run) {
  v1::GetRunRequest request;
  request.set_run(run);
  v1::Run result;
  grpc::ClientContext context;
  const grpc::Status status = stub.GetRun(&context, request, &result);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return result;
}

void WaitUntilStarted(v1::JobService::Stub& stub, const std::string& run) {
  WaitUntil(stub, run, [](const v1::Run& now) { return now.has_start_time(); });
}

void WaitUntilEnded(v1::JobService::Stub& stub, const std::string& run) {
  WaitUntil(stub, run, [](const v1::Run& now) { return now.has_result(); });
}

std::string ResumePoint(const grpc::ClientContext& context) {
  const auto& metadata = context.GetServerTrailingMetadata();
  const auto found = metadata.find("jobtail-resume-sequence");
  if (found == metadata.end()) return "";
  return {found->second.data(), found->second.size()};
}

v1::TailLogRequest Follow(const std::string& run) {
  v1::TailLogRequest request;
  request.set_run(run);
  request.set_follow(true);
  return request;
}

void Transcript::Add(const v1::LogLine& line) {
  EXPECT_FALSE(ended()) << "after the result: " << line.ShortDebugString();
  if (line.has_run()) run_ = line.run();
  if (line.has_heartbeat()) ++heartbeats_;
  if (line.sequence() == 0) return;
  if (!records_.empty()) {
    EXPECT_EQ(line.sequence(), records_.back().sequence() + 1);
    EXPECT_GE(ToUnixNanos(line.time()), ToUnixNanos(records_.back().time()));
  }
  records_.push_back(line);
}

void Transcript::Add(const v1::LogBatch& batch) {
  EXPECT_LE(batch.ByteSizeLong(), size_t{1} << 20) << "far under gRPC's default limit of 4 MiB";
  for (const v1::LogLine& line : batch.lines()) Add(line);
}

Transcript Transcript::Read(grpc::ClientReader<v1::LogLine>& reader) {
  Transcript transcript;
  for (v1::LogLine line; reader.Read(&line);) transcript.Add(line);
  return transcript;
}

Transcript Transcript::Read(grpc::ClientReader<v1::LogBatch>& reader) {
  Transcript transcript;
  for (v1::LogBatch batch; reader.Read(&batch);) transcript.Add(batch);
  return transcript;
}

std::vector<std::string> Transcript::Lines() const {
  std::vector<std::string> lines;
  for (const v1::LogLine& line : records_) {
    if (line.has_text()) lines.push_back(line.text());
    if (line.has_raw()) lines.push_back(line.raw());
  }
  return lines;
}

std::string Transcript::Printed(v1::Stream stream) const {
  std::string bytes;
  for (const v1::LogLine& line : records_) {
    if (line.stream() != stream) continue;
    bytes += line.has_text() ? line.text() : line.raw();
    if (line.ending() == v1::ENDING_LF) bytes += '\n';
    if (line.ending() == v1::ENDING_CR) bytes += '\r';
  }
  return bytes;
}

Transcript Tail(v1::JobService::Stub& stub, const v1::TailLogRequest& request) {
  grpc::ClientContext context;
  const auto reader = stub.TailLog(&context, request);
  Transcript transcript = Transcript::Read(*reader);
  const grpc::Status status = reader->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  return transcript;
}

}  // namespace jobtail::e2e
