// How fast lines of 80 bytes come from one job to one client, beside gRPC alone: the same client
// reading ready-made messages. Client and server share a process and talk over loopback.

#include <benchmark/benchmark.h>
#include <grpcpp/grpcpp.h>

#include <cstdio>
#include <string>

#include "absl/synchronization/mutex.h"
#include "bench/bare_streams.h"
#include "server/server.h"

namespace jobtail::bench {
namespace {

constexpr int64_t kLines = 600'000;
constexpr int kBytes = 80;

void PrintLines(JobContext&) {
  const std::string line(kBytes, 'x');
  for (int64_t i = 0; i < kLines; ++i) puts(line.c_str());
}

class JobServer {
 public:
  JobServer() : server_({.grpc_address = "127.0.0.1:0"}) {
    server_.AddJob(Job("print", PrintLines)).IgnoreError();
    server_.Start().IgnoreError();
  }
  const std::string& address() const { return server_.grpc_address(); }

 private:
  Server server_;
};

std::unique_ptr<v1::JobService::Stub> Connect(const std::string& address) {
  return v1::JobService::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
}

void ReadBatches(v1::JobService::Stub& stub, const std::string& run) {
  v1::TailLogRequest request;
  request.set_run(run);
  request.set_follow(true);
  grpc::ClientContext context;
  const auto reader = stub.TailLog(&context, request);
  for (v1::LogBatch batch; reader->Read(&batch);) benchmark::DoNotOptimize(batch.lines_size());
  reader->Finish();
}

// Returns the run's id; "" if the server tells of none.
std::string ReadLines(v1::JobService::Stub& stub) {
  v1::RunJobRequest request;
  request.set_job("print");
  grpc::ClientContext context;
  const auto reader = stub.RunJob(&context, request);
  std::string run;
  for (v1::LogLine line; reader->Read(&line);) {
    if (line.has_run()) run = line.run().id();
  }
  reader->Finish();
  return run;
}

std::string StartRun(v1::JobService::Stub& stub) {
  v1::CreateRunRequest request;
  request.set_job("print");
  v1::Run run;
  grpc::ClientContext context;
  stub.CreateRun(&context, request, &run);
  return run.id();
}

void DeleteRun(v1::JobService::Stub& stub, const std::string& id) {
  v1::DeleteRunRequest request;
  request.set_run(id);
  google::protobuf::Empty empty;
  grpc::ClientContext context;
  stub.DeleteRun(&context, request, &empty);
}

void BareBatches(benchmark::State& state) {
  const BareServer server(kLines, kBytes);
  const auto stub = Connect(server.address());
  for (auto _ : state) ReadBatches(*stub, "any");
  state.SetItemsProcessed(state.iterations() * kLines);
}

void LiveTailLog(benchmark::State& state) {
  const JobServer server;
  const auto stub = Connect(server.address());
  for (auto _ : state) {
    const std::string run = StartRun(*stub);
    ReadBatches(*stub, run);
    state.PauseTiming();
    DeleteRun(*stub, run);
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * kLines);
}

void ReplayTailLog(benchmark::State& state) {
  const JobServer server;
  const auto stub = Connect(server.address());
  const std::string run = StartRun(*stub);
  ReadBatches(*stub, run);
  for (auto _ : state) ReadBatches(*stub, run);
  state.SetItemsProcessed(state.iterations() * kLines);
}

void BareMessages(benchmark::State& state) {
  const BareServer server(kLines, kBytes);
  const auto stub = Connect(server.address());
  for (auto _ : state) ReadLines(*stub);
  state.SetItemsProcessed(state.iterations() * kLines);
}

void LiveRunJob(benchmark::State& state) {
  const JobServer server;
  const auto stub = Connect(server.address());
  for (auto _ : state) {
    const std::string run = ReadLines(*stub);
    state.PauseTiming();
    DeleteRun(*stub, run);
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * kLines);
}

BENCHMARK(BareBatches)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(LiveTailLog)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(ReplayTailLog)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BareMessages)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(LiveRunJob)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace jobtail::bench

int main(int argc, char** argv) {
  // As server/daemon.cc does: Debian's abseil checks the order of locks in every build.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
