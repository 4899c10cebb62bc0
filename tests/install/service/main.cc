// A server with a job, and a client that runs it and reads what it printed.

#include <cstdlib>
#include <iostream>
#include <string>

#include "client/client.h"
#include "server/daemon.h"
#include "server/server.h"

namespace {

void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::cerr << status << "\n";
  std::exit(1);
}

std::string ReadLog(const jobtail::client::Client& client, const std::string& run) {
  jobtail::v1::TailLogRequest request;
  request.set_run(run);
  request.set_follow(true);
  const auto reader = client.Tail(request);
  std::string text;
  while (true) {
    const absl::StatusOr<const jobtail::v1::LogBatch*> batch = reader->Next();
    Check(batch.status());
    if (*batch == nullptr) return text;
    for (const jobtail::v1::LogLine& line : (*batch)->lines()) {
      if (line.has_text()) text += line.text() + "\n";
    }
  }
}

}  // namespace

int main() {
  jobtail::ServerOptions options;
  options.grpc_address = "127.0.0.1:0";
  options.http.address = "127.0.0.1:0";
  jobtail::Server server(options);
  Check(server.AddJob(jobtail::Job(
      "greet", [](jobtail::JobContext&) { std::cout << "hello from a job" << std::endl; })));
  Check(server.Start());

  const jobtail::client::Client client(server.grpc_address());
  jobtail::v1::CreateRunRequest request;
  request.set_job("greet");
  const absl::StatusOr<jobtail::v1::Run> run = client.CreateRun(request);
  Check(run.status());
  const std::string text = ReadLog(client, run->id());
  server.Stop();
  if (text == "hello from a job\n") return 0;
  std::cerr << "the log is instead:\n" << text;
  return 1;
}
