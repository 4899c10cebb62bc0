// The engine under test, and the runs that tests have it execute.

#include "tests/server/run/engine_fixture.h"

#include <thread>
#include <utility>

#include "tests/server/support/following.h"
#include "tests/server/support/records.h"

namespace jobtail::testing {

EngineTest::EngineTest(const EngineOptions& options) : engine_(&store_, options) {}

EngineTest::~EngineTest() { engine_.Stop(absl::InfiniteDuration()); }

void EngineTest::AddJob(Job job) {
  const absl::Status added = engine_.AddJob(std::move(job));
  ASSERT_TRUE(added.ok()) << added;
}

void EngineTest::AddWaitingJob(const std::string& name) {
  AddJob(Job(name, [](JobContext& run) { run.SleepFor(absl::InfiniteDuration()); }));
}

absl::StatusOr<v1::Run> EngineTest::Create(const std::string& job, const Parameters& parameters,
                                           const std::string& request_id) {
  v1::CreateRunRequest request;
  request.set_job(job);
  request.mutable_parameters()->insert(parameters.begin(), parameters.end());
  request.set_request_id(request_id);
  return engine_.CreateRun(request);
}

std::string EngineTest::Start(const std::string& job, const Parameters& parameters) {
  const absl::StatusOr<v1::Run> run = Create(job, parameters);
  EXPECT_TRUE(run.ok()) << run.status();
  return run.ok() ? run->id() : "";
}

absl::StatusOr<v1::Run> EngineTest::TryGet(const std::string& run) {
  v1::GetRunRequest request;
  request.set_run(run);
  return engine_.GetRun(request);
}

v1::Run EngineTest::Get(const std::string& run) {
  const absl::StatusOr<v1::Run> found = TryGet(run);
  EXPECT_TRUE(found.ok()) << found.status();
  return found.ok() ? *found : v1::Run();
}

absl::StatusOr<v1::Run> EngineTest::Cancel(const std::string& run) {
  v1::CancelRunRequest request;
  request.set_run(run);
  return engine_.CancelRun(request);
}

absl::Status EngineTest::Delete(const std::string& run) {
  v1::DeleteRunRequest request;
  request.set_run(run);
  return engine_.DeleteRun(request);
}

std::vector<v1::LogLine> EngineTest::AwaitLog(const std::string& run) {
  v1::TailLogRequest request = Follow();
  request.set_run(run);
  const auto cursor = engine_.TailLog(request);
  EXPECT_TRUE(cursor.ok()) << cursor.status();
  return cursor.ok() ? RecordsOf(ReadToEnd(**cursor)) : std::vector<v1::LogLine>();
}

void EngineTest::AwaitClosed(const std::string& run) {
  AwaitLog(run);
  v1::TailLogRequest request;
  request.set_run(run);
  const auto is_opened_in_the_store = [&] {
    const int64_t before = store_.count(Call::kGetExtent);
    EXPECT_TRUE(engine_.TailLog(request).ok());
    return store_.count(Call::kGetExtent) > before;
  };
  while (!is_opened_in_the_store()) std::this_thread::yield();
}

v1::RunResult EngineTest::AwaitResult(const std::string& run) {
  const std::vector<v1::LogLine> lines = AwaitLog(run);
  return lines.empty() ? v1::RunResult() : lines.back().result();
}

std::vector<v1::LogLine> EngineTest::Run(const std::string& job, const Parameters& parameters) {
  return AwaitLog(Start(job, parameters));
}

std::vector<v1::LogLine> EngineTest::ReadLog(const std::string& run) {
  v1::TailLogRequest request;
  request.set_run(run);
  const auto cursor = engine_.TailLog(request);
  EXPECT_TRUE(cursor.ok()) << cursor.status();
  return cursor.ok() ? RecordsOf(ReadToEnd(**cursor)) : std::vector<v1::LogLine>();
}

}  // namespace jobtail::testing
