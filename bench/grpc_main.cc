// The consumer of gRPC streams, of jobtail's and of bare ones. `bench-grpc --help` tells what it
// can. Prints a line of JSON.

#include <fcntl.h>
#include <google/protobuf/empty.pb.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "bench/crowd.h"
#include "bench/meter.h"
#include "bench/tls_files.h"
#include "bench/workload.h"
#include "client/receive_memory.h"
#include "jobtail/v1/job_service.grpc.pb.h"

namespace jobtail::bench {
namespace {

using Stub = v1::JobService::Stub;

struct Options {
  std::string address;
  std::string what;  // a run, or a job
  std::map<std::string, std::string> parameters;
  bool stamped = false;
  int runs = 0;
  int readers = 1;
  int connections = 1;
  std::string gate;
  bool stall = false;
  std::string pattern;
};

std::unique_ptr<Stub> Connect(const Options& options) {
  return v1::JobService::NewStub(grpc::CreateChannel(options.address, ClientCredentials()));
}

void Check(const grpc::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.error_message());
}

std::string StartRun(Stub& stub, const Options& options) {
  v1::CreateRunRequest request;
  request.set_job(options.what);
  request.mutable_parameters()->insert(options.parameters.begin(), options.parameters.end());
  v1::Run run;
  grpc::ClientContext context;
  Check(stub.CreateRun(&context, request, &run));
  return run.id();
}

void Print(const std::string& run, const Meter& meter) {
  std::cout << "{\"run\":\"" << run << "\"," << meter.Json().substr(1) << std::endl;
}

void Tail(Stub& stub, const Options& options, const std::string& run) {
  v1::TailLogRequest request;
  request.set_run(run);
  request.set_follow(true);
  grpc::ClientContext context;
  const auto stream = stub.TailLog(&context, request);
  Meter meter(options.stamped);
  for (v1::LogBatch batch; stream->Read(&batch);) {
    int64_t lines = 0;
    for (const v1::LogLine& line : batch.lines()) {
      if (!line.has_text()) continue;
      ++lines;
      if (options.stamped) meter.AddLine(line.text());
    }
    if (!options.stamped && lines > 0) meter.AddLines(lines);
  }
  Check(stream->Finish());
  Print(run, meter);
}

void TailRun(const Options& options) { Tail(*Connect(options), options, options.what); }

void TailJob(const Options& options) {
  const auto stub = Connect(options);
  Tail(*stub, options, StartRun(*stub, options));
}

void RunJob(const Options& options) {
  v1::RunJobRequest request;
  request.set_job(options.what);
  request.mutable_parameters()->insert(options.parameters.begin(), options.parameters.end());
  grpc::ClientContext context;
  const auto stub = Connect(options);
  const auto stream = stub->RunJob(&context, request);
  std::string run;
  Meter meter(options.stamped);
  for (v1::LogLine line; stream->Read(&line);) {
    if (line.has_run()) run = line.run().id();
    if (line.has_text()) meter.AddLine(line.text());
  }
  Check(stream->Finish());
  Print(run, meter);
}

// Opens the gate while this object lives. Blocks until somebody waits there.
class OpenGate {
 public:
  explicit OpenGate(const std::string& path) : fd_(open(path.c_str(), O_WRONLY | O_CLOEXEC)) {
    if (fd_ < 0) throw std::runtime_error("cannot open the gate " + path);
  }
  ~OpenGate() { close(fd_); }

 private:
  const int fd_;
};

// Runs of a job that wait at the gate, or one that is there already; readers of each; from the
// opening of the gate to the last line of the last.
void Measure(const Options& options) {
  const auto stub = Connect(options);
  Crowd crowd(options.address, options.connections);
  for (int run = 0; run < std::max(1, options.runs); ++run) {
    const std::string id = options.runs > 0 ? StartRun(*stub, options) : options.what;
    for (int i = 0; i < options.readers; ++i) crowd.Add(id);
  }
  crowd.WaitUntilReady();
  const int64_t start = MonotonicNanos();
  const OpenGate gate(options.gate);
  crowd.WaitUntilEnded();
  const double seconds = static_cast<double>(MonotonicNanos() - start) * 1e-9;
  const Crowd::Totals totals = crowd.totals();
  std::cout << "{\"seconds\":" << seconds << ",\"bytes\":" << totals.bytes
            << ",\"least_bytes\":" << totals.least_bytes
            << ",\"least_lines\":" << totals.least_lines << "}" << std::endl;
}

// Readers that stay until standard input ends.
void Hold(const Options& options) {
  Crowd crowd(options.address, options.connections);
  for (int i = 0; i < options.readers; ++i) {
    const std::string own = options.pattern.empty() ? "" : options.pattern + std::to_string(i);
    crowd.Add(options.what, options.stall, own);
  }
  crowd.WaitUntilReady();
  std::cout << "{\"readers\":" << options.readers << "}" << std::endl;
  std::string line;
  std::getline(std::cin, line);
}

// Starts runs and leaves them alone.
void Start(const Options& options) {
  const auto stub = Connect(options);
  std::string run;
  for (int i = 0; i < options.runs; ++i) run = StartRun(*stub, options);
  std::cout << "{\"run\":\"" << run << "\"}" << std::endl;
}

void Clear(const Options& options) {
  const auto stub = Connect(options);
  v1::ListRunsRequest request;
  do {
    v1::ListRunsResponse page;
    grpc::ClientContext list_context;
    Check(stub->ListRuns(&list_context, request, &page));
    for (const v1::Run& run : page.runs()) {
      v1::DeleteRunRequest deletion;
      deletion.set_run(run.id());
      grpc::ClientContext context;
      google::protobuf::Empty empty;
      Check(stub->DeleteRun(&context, deletion, &empty));
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  std::cout << "{}" << std::endl;
}

int Main(int argc, char** argv) {
  // As the `jobtail` command does: or what is measured is, for the most part, how often the C
  // library gives memory back to the system and asks for it again, which is another number in each
  // run.
  client::KeepReceiveMemory();
  Options options;
  CLI::App app("Consumes gRPC streams and tells how fast they were.", "bench-grpc");
  app.require_subcommand(1);
  app.add_option("address", options.address, "HOST:PORT")->required();
  const auto add = [&](const char* name, const char* help, void (*run)(const Options&)) {
    CLI::App* command = app.add_subcommand(name, help);
    command->callback([&options, run] { run(options); });
    if (run == Clear) return;
    command->add_option("what", options.what, "The run, or the job")->required();
    command->add_flag("--stamped", options.stamped, "Tell the age of every line");
    command->add_option("--runs", options.runs, "How many runs of the job; 0: what is a run");
    command->add_option("--readers", options.readers, "How many readers of each run");
    command->add_option("--connections", options.connections, "How many connections they share");
    command->add_option("--gate", options.gate, "The fifo that the jobs wait for");
    command->add_flag("--stall", options.stall, "Read the first message and no more");
    command->add_option("--pattern", options.pattern,
                        "What those that are held look for: this, and the number of each");
    command->add_option("-p,--parameter", options.parameters, "A job's parameters: NAME VALUE");
  };
  add("tail", "Read the log of a run to its end", TailRun);
  add("tail-job", "Start a run, and read its log with TailLog", TailJob);
  add("run-job", "Start a run, and read its log with RunJob", RunJob);
  add("measure", "Have many readers read, from the opening of a gate on", Measure);
  add("hold", "Open streams and hold them until standard input ends", Hold);
  add("start", "Start runs", Start);
  add("clear", "Delete all runs that have ended", Clear);
  CLI11_PARSE(app, argc, argv);
  return 0;
}

}  // namespace
}  // namespace jobtail::bench

int main(int argc, char** argv) {
  // As server/daemon.cc does: Debian's abseil checks the order of locks in every build.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  try {
    return jobtail::bench::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "bench-grpc: " << error.what() << std::endl;
    return 1;
  }
}
