// What runs that have ended cost: memory, a start, a page, a deletion, retention.
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "server/log/record.h"
#include "server/run/engine.h"
#include "server/store/journaled_store.h"

namespace jobtail {
namespace {

double ResidentMegabytes() {
  malloc_trim(0);
  int64_t size = 0;
  int64_t resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return static_cast<double>(resident) * 4096 / 1e6;
}

template <typename Function>
double Milliseconds(Function function) {
  const absl::Time begin = absl::Now();
  function();
  return absl::ToDoubleMilliseconds(absl::Now() - begin);
}

void Check(const absl::Status& status) {
  if (status.ok()) return;
  absl::FPrintF(stderr, "%s\n", status.ToString());
  std::exit(1);
}

// Runs as a server leaves them that has ended.
void Fill(LogStore* store, int runs, size_t parameter_bytes) {
  const int64_t now = absl::ToUnixNanos(absl::Now());
  for (int i = 0; i < runs; ++i) {
    storage::v1::StoredRun stored;
    v1::Run& run = *stored.mutable_run();
    run.set_id(absl::StrFormat("019a7b3c-0000-7000-8000-%012d", i));
    run.set_job(i % 1000 == 0 ? "rare" : "often");
    run.set_state(v1::RUN_STATE_SUCCEEDED);
    (*run.mutable_parameters())["text"] = std::string(parameter_bytes, 'x');
    for (auto* time : {run.mutable_create_time(), run.mutable_start_time(), run.mutable_end_time()})
      *time = FromUnixNanos(now);
    run.mutable_result()->set_state(run.state());
    run.mutable_result()->mutable_duration()->set_nanos(5);
    run.set_last_sequence(1);
    Check(store->PutRun(stored));
    std::string bytes;
    EncodeLine(ResultRecord(1, run.result(), now), &bytes);
    Check(store->Append(run.id(), {Batch{1, 1, now, 0, 0, Share(std::move(bytes))}}, false));
  }
}

std::unique_ptr<JournaledStore> Open(const std::string& directory) {
  auto store = JournaledStore::Open({.directory = directory});
  Check(store.status());
  return *std::move(store);
}

void Measure(int runs, size_t parameter_bytes, const std::string& directory) {
  const pid_t filling = fork();  // in a process of its own, whose memory goes with it
  if (filling == 0) {
    Fill(Open(directory).get(), runs, parameter_bytes);
    _exit(0);
  }
  waitpid(filling, nullptr, 0);
  const double before = ResidentMegabytes();
  const auto store = Open(directory);
  const double opened = ResidentMegabytes();
  Engine engine(store.get(), {.retention = {.max_runs = runs - runs * 6 / 10,
                                            .interval = absl::InfiniteDuration()}});
  absl::PrintF("start        %8.1f ms\n", Milliseconds([&] { Check(engine.Recover()); }));
  const double recovered = ResidentMegabytes();
  absl::PrintF("memory       %8.1f MB: %.0f bytes a run (store %.1f MB, before it %.1f MB)\n",
               recovered, (recovered - opened) * 1e6 / runs, opened, before);
  v1::ListRunsRequest page;
  absl::PrintF("page         %8.3f ms\n",
               Milliseconds([&] { Check(engine.ListRuns(page).status()); }));
  page.set_job("rare");
  absl::PrintF("page of few  %8.3f ms\n",
               Milliseconds([&] { Check(engine.ListRuns(page).status()); }));
  page.clear_job();
  page.add_states(v1::RUN_STATE_FAILED);
  absl::PrintF("page of none %8.3f ms\n",
               Milliseconds([&] { Check(engine.ListRuns(page).status()); }));
  absl::PrintF("count        %8.3f ms\n", Milliseconds([&] { engine.CountRuns(); }));
  v1::DeleteRunRequest deletion;
  deletion.set_run(engine.ListRuns({})->runs(0).id());
  absl::PrintF("delete one   %8.3f ms\n", Milliseconds([&] { Check(engine.DeleteRun(deletion)); }));
  const double retention = Milliseconds([&] { engine.ApplyRetention(); });
  absl::PrintF("retention    %8.1f ms: %.0f runs a second\n", retention,
               static_cast<double>(runs) * 600 / retention);
}

}  // namespace
}  // namespace jobtail

// bench-ended-runs [RUNS [BYTES OF PARAMETERS]]
int main(int argc, char** argv) {
  // As server/daemon.cc does: Debian's abseil checks the order of locks in every build, and notes
  // each lock that it has seen.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const int runs = argc > 1 ? std::atoi(argv[1]) : 100'000;
  const int bytes = argc > 2 ? std::atoi(argv[2]) : 20;
  std::string directory = std::filesystem::temp_directory_path() / "jobtail-ended-runs-XXXXXX";
  if (mkdtemp(directory.data()) == nullptr) return 1;
  jobtail::Measure(runs, static_cast<size_t>(bytes), directory);
  std::filesystem::remove_all(directory);
}
