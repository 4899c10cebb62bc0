// Starts servers with the injector before them, and asks them how they are.
#include "tests/faults/faulty_server.h"

#include <fcntl.h>
#include <google/protobuf/empty.pb.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "tests/e2e/http_client.h"

namespace jobtail::faults {
namespace {

namespace fs = std::filesystem;

using testing::Subprocess;

// No call is waited for longer.
constexpr std::chrono::seconds kCallDeadline{20};

// RocksDB and others have threads that come and go.
constexpr int kThreadsThatComeAndGo = 3;

// gRPC's come with its connections, and stay for as long as it likes.
const std::set<std::string>& NamesOfGrpcsThreads() {
  static const auto* const names = new std::set<std::string>{
      "default-executo", "resolver-execut", "grpc_global_tim", "event_engine",
      "timer_manager",   "nexting_thread",  "grpcpp_sync_ser"};
  return *names;
}

void SetDeadline(grpc::ClientContext* context) {
  context->set_deadline(std::chrono::system_clock::now() + kCallDeadline);
}

v1::CreateRunRequest SmallRun() {
  v1::CreateRunRequest request;
  request.set_job("countdown");
  (*request.mutable_parameters())["times"] = "1";
  (*request.mutable_parameters())["interval"] = "0s";
  return request;
}

constexpr char kSmallRun[] = R"({"job":"countdown","parameters":{"times":"1","interval":"0s"}})";

// The value of "id" in a run's JSON.
std::string IdIn(const std::string& json) {
  const std::string before = "\"id\":\"";
  const size_t begin = json.find(before);
  if (begin == std::string::npos) return "";
  const size_t id = begin + before.size();
  return json.substr(id, json.find('"', id) - id);
}

bool Succeeds(v1::JobService::Stub& stub, const std::string& run) {
  return Within(std::chrono::seconds(5), [&] {
    v1::GetRunRequest request;
    request.set_run(run);
    v1::Run found;
    grpc::ClientContext context;
    SetDeadline(&context);
    return stub.GetRun(&context, request, &found).ok() && found.state() == v1::RUN_STATE_SUCCEEDED;
  });
}

bool Deletes(v1::JobService::Stub& stub, const std::string& run) {
  v1::DeleteRunRequest request;
  request.set_run(run);
  google::protobuf::Empty empty;
  grpc::ClientContext context;
  SetDeadline(&context);
  return stub.DeleteRun(&context, request, &empty).ok();
}

template <typename Set>
std::string List(const Set& set) {
  std::ostringstream text;
  for (const auto& element : set) text << ' ' << element;
  return text.str();
}

// Of a process, but for gRPC's.
std::vector<std::string> ThreadsOf(const std::string& process) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(process + "/task", ignored)) {
    std::string name;
    std::ifstream(entry.path() / "comm") >> name;
    if (!NamesOfGrpcsThreads().contains(name)) names.push_back(name);
  }
  return names;
}

}  // namespace

Injector::Injector(const std::string& directory) {
  const std::string path = control_.path() + "/plan";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate(fd, sizeof(Plan)) != 0) {
    throw std::system_error(errno, std::generic_category(), path);
  }
  void* const mapping = mmap(nullptr, sizeof(Plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (mapping == MAP_FAILED) throw std::system_error(errno, std::generic_category(), path);
  plan_ = static_cast<Plan*>(mapping);
  environment_ = {std::string("LD_PRELOAD=") + JOBTAIL_FAULTS_LIBRARY,
                  "JOBTAIL_FAULTS_CONTROL=" + path, "JOBTAIL_FAULTS_DIRECTORY=" + directory};
}

Injector::~Injector() { munmap(plan_, sizeof(Plan)); }

void Injector::Begin(const Fault& fault) {
  End();
  Begin(fault, 0);
}

void Injector::Begin(const Fault& fault, size_t place) {
  Rule& rule = plan_->rules[place];
  rule.error = fault.error;
  rule.left = fault.times;
  rule.hits = 0;
  rule.delay_ms = fault.delay_ms;
  rule.per_mille = 1000;
  const std::string part = fault.part;
  for (size_t i = 0; i < rule.part.size(); ++i) rule.part[i] = i < part.size() ? part[i] : '\0';
  rule.calls = fault.calls;
}

void Injector::End() {
  for (Rule& rule : plan_->rules) rule.calls = 0;
}

std::string Answers::ToString() const {
  return "gRPC" + List(grpc) + ", HTTP" + List(http) + ", /readyz" + List(ready);
}

FaultyServer::FaultyServer(Command (*wrapper)(const std::string& folder))
    : wrapper_(wrapper ? wrapper(directory_.path()) : Command()), injector_(directory_.path()) {}

FaultyServer::~FaultyServer() {
  if (!process_) return;
  process_->Signal(SIGTERM);
  const testing::Outcome outcome = process_->Wait();
  EXPECT_EQ(outcome.exit_code, 0) << "signal " << outcome.signal;
  if (::testing::Test::HasFailure()) std::cout << "The server's log:\n" << outcome.err;
}

void FaultyServer::Start(const std::vector<std::string>& flags) {
  Command command = wrapper_;
  command.insert(command.end(), {JOBTAIL_DEMO, "--grpc-address=127.0.0.1:0",
                                 "--http-address=127.0.0.1:0", "--data-dir=" + data()});
  command.insert(command.end(), flags.begin(), flags.end());
  process_ =
      std::make_unique<Subprocess>(Subprocess::Options{.command = command,
                                                       .environment = injector_.environment(),
                                                       .deadline = std::chrono::minutes(10)});
  address_ = http_url_ = "";
  while (address_.empty() || http_url_.empty()) {
    const auto line = process_->ReadLine();
    if (!line) break;
    if (line->starts_with("grpc ")) address_ = line->substr(5);
    if (line->starts_with("http ")) http_url_ = line->substr(5);
  }
  ASSERT_FALSE(http_url_.empty()) << "the server does not start: " << process_->Wait().err;
  stub_ = e2e::Connect(address_);
  // Its connection counts from now on, not from whenever the first call is made.
  v1::ListJobsResponse jobs;
  grpc::ClientContext context;
  SetDeadline(&context);
  context.set_wait_for_ready(true);
  const grpc::Status listed = stub_->ListJobs(&context, {}, &jobs);
  ASSERT_TRUE(listed.ok()) << listed.error_message();
}

void FaultyServer::Kill() {
  process_->Signal(SIGKILL);
  process_->Wait();
  process_.reset();
}

int FaultyServer::Stop() {
  process_->Signal(SIGTERM);
  const testing::Outcome outcome = process_->Wait();
  process_.reset();
  return outcome.exit_code;
}

void FaultyServer::Ask(Answers* answers) const {
  v1::Run run;
  grpc::ClientContext context;
  SetDeadline(&context);
  answers->grpc.insert(e2e::Connect(address_)->CreateRun(&context, SmallRun(), &run).error_code());
  answers->http.insert(e2e::HttpClient(http_url_).Post("/v1/runs", kSmallRun).status);
  answers->ready.insert(e2e::HttpClient(http_url_).Get("/readyz").status);
}

bool FaultyServer::ServesAll() const {
  v1::Run run;
  grpc::ClientContext context;
  SetDeadline(&context);
  const auto stub = e2e::Connect(address_);
  if (!stub->CreateRun(&context, SmallRun(), &run).ok()) return false;
  if (!Succeeds(*stub, run.id()) || !Deletes(*stub, run.id())) return false;
  e2e::HttpClient client(http_url_);
  const e2e::HttpAnswer created = client.Post("/v1/runs", kSmallRun);
  const std::string id = IdIn(created.body);
  return created.status == 200 && Succeeds(*stub, id) &&
         client.Ask("DELETE", "/v1/runs/" + id).status == 200 &&
         client.Get("/readyz").status == 200;
}

std::chrono::milliseconds FaultyServer::ExpectServed() const {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(Within(std::chrono::seconds(60), [this] { return ServesAll(); }));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begin);
  EXPECT_LE(took, kPatience);
  return took;
}

FaultyServer::Use FaultyServer::Measure() const {
  const std::string process = "/proc/" + std::to_string(pid());
  Use use;
  use.threads = static_cast<int>(ThreadsOf(process).size());
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(process + "/fd", ignored)) {
    const std::string target = fs::read_symlink(entry.path(), ignored).string();
    const bool comes_and_goes =
        target.find(".sst") != std::string::npos || target.find(".log") != std::string::npos;
    if (!comes_and_goes) use.descriptors.insert(target.substr(0, target.find(":[")));
  }
  return use;
}

void FaultyServer::ExpectUse(const Use& before) const {
  Use now;
  EXPECT_TRUE(Within(std::chrono::seconds(30),
                     [&] {
                       now = Measure();
                       return now.descriptors.size() <= before.descriptors.size() &&
                              now.threads <= before.threads + kThreadsThatComeAndGo;
                     }))
      << now.descriptors.size() << " descriptors, not " << before.descriptors.size() << ":\n"
      << List(now.descriptors) << "\nnot\n"
      << List(before.descriptors) << "\n"
      << now.threads << " threads, not " << before.threads << ":\n"
      << List(ThreadsOf("/proc/" + std::to_string(pid())));
}

}  // namespace jobtail::faults
