// A program whose job ends it, in one of several ways: HOW DIRECTORY.

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>
#include <string>
#include <thread>

#include "server/run/engine.h"
#include "server/server.h"
#include "server/store/memory_store.h"
#include "tests/server/support/faulty_store.h"

namespace {

struct Nowhere : jobtail::capture::Sink {
  void Write(std::span<const jobtail::capture::Line>) noexcept override {}
  bool TryWrite(std::span<const jobtail::capture::Line>) noexcept override { return true; }
};

void End(const std::string& how) {
  puts("a line");
  std::cout << "no newline";
  if (how == "quick") quick_exit(3);
  if (how == "thread") std::thread([] { exit(3); }).join();
  if (how == "nested") {
    Nowhere nowhere;
    const jobtail::capture::Scope scope(&nowhere);
    exit(3);
  }
  if (how == "fork") {
    const pid_t child = fork();
    if (child == 0) quick_exit(3);  // exit would have RocksDB wait for threads that it has not
    waitpid(child, nullptr, 0);
    return;
  }
  exit(3);
}

// Destroyed at the program's end.
jobtail::Server& OfTheProgram(const jobtail::ServerOptions& options) {
  static jobtail::Server server(options);
  return server;
}

void RunOnAStoreThatHangs() {
  using jobtail::testing::FaultyStore;
  auto* const store = new FaultyStore(new jobtail::MemoryStore);
  auto* const engine = new jobtail::Engine(store);
  if (!engine->AddJob(jobtail::Job("job", [](jobtail::JobContext&) { exit(3); })).ok()) _exit(1);
  store->Block(FaultyStore::Call::kAppend);
  jobtail::v1::CreateRunRequest request;
  request.set_job("job");
  if (!engine->CreateRun(request).ok()) _exit(1);
  while (true) pause();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string how = argv[1];
  if (how == "hangs") RunOnAStoreThatHangs();
  jobtail::ServerOptions options;
  options.grpc_address = "127.0.0.1:0";
  options.http.address = "";
  options.store.directory = argv[2];
  static jobtail::Server* never_destroyed = nullptr;
  if (how != "static") never_destroyed = new jobtail::Server(options);
  jobtail::Server& server = how == "static" ? OfTheProgram(options) : *never_destroyed;
  jobtail::Job job("job", [&how](jobtail::JobContext&) { End(how); });
  if (how == "private") job.Capture({.private_descriptors = true});
  if (!server.AddJob(job).ok() || !server.Start().ok()) return 1;
  jobtail::v1::RunJobRequest request;
  request.set_job("job");
  auto started = server.engine().RunJob(request);
  if (!started.ok()) return 1;
  if (how != "fork") {
    while (true) pause();
  }
  started->cursor.reset();
  while (!server.engine().ActiveRuns().empty()) std::this_thread::yield();
  server.Stop(absl::InfiniteDuration());
  return 0;
}
