// All runs of a server, and the order of their changes.
#include "server/run/run_table.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/quoting.h"
#include "server/log/record.h"
#include "server/run/run_id.h"

namespace jobtail {
namespace {

// Deleted runs that a slow watcher can still learn of.
constexpr size_t kKeptDeletions = 1000;

// A shorter beginning of an id would mean nothing: it tells the month.
constexpr size_t kMinPrefix = 4;
// How many candidates the error about an ambiguous beginning names.
constexpr size_t kNamedCandidates = 5;

bool MayBePrefix(const std::string& text) {
  return text.size() >= kMinPrefix && text.size() < kRunIdSize &&
         text.find_first_not_of("0123456789abcdef-") == std::string::npos;
}

absl::Status NoRun(const std::string& id) {
  return absl::NotFoundError(
      absl::StrCat("no run ", Quoted(id), "; ListRuns tells which there are"));
}

}  // namespace

void RunTable::Add(std::shared_ptr<Run> run) {
  absl::MutexLock lock(&mutex_);
  runs_.emplace(run->id(), run);
  active_.emplace(run->id(), run);
  TouchLocked(run->id(), {run, std::nullopt});
}

void RunTable::AddEnded(std::shared_ptr<Run> run) {
  absl::MutexLock lock(&mutex_);
  const std::string& id = run->id();
  runs_.emplace(id, std::move(run));
}

void RunTable::Remove(const std::string& id) {
  const absl::StatusOr<std::shared_ptr<Run>> run = Find(id);
  if (!run.ok()) return;
  v1::Run last = (*run)->Get();
  last.clear_parameters();
  *last.mutable_delete_time() = FromUnixNanos(absl::ToUnixNanos(waker_->clock()->Now()));
  absl::MutexLock lock(&mutex_);
  const auto found = runs_.find(id);
  if (found == runs_.end()) return;
  TouchLocked(id, {nullptr, std::move(last)});
  runs_.erase(found);
  deleted_.push_back(id);
  if (deleted_.size() <= kKeptDeletions) return;
  const auto oldest = versions_.find(deleted_.front());
  changes_.erase(oldest->second);
  versions_.erase(oldest);
  deleted_.pop_front();
}

void RunTable::Touch(const std::string& id) {
  absl::MutexLock lock(&mutex_);
  const auto found = runs_.find(id);
  if (found == runs_.end()) return;
  TouchLocked(id, {found->second, std::nullopt});
}

// The table may be gone as soon as whoever waits for the last run can go on.
void RunTable::Done(const std::string& id) {
  const std::lock_guard idle_lock(idle_mutex_);
  absl::MutexLock lock(&mutex_);
  active_.erase(id);
  if (active_.empty()) idle_changed_.notify_all();
}

void RunTable::TouchLocked(const std::string& id, Change change) {
  int64_t& version = versions_[id];
  changes_.erase(version);
  version = ++version_;
  changes_.emplace(version, std::move(change));
  if (waits_.empty()) return;
  waker_->Soon([waits = waits_.TakeAll()] { WaitList::CallAll(waits); });
}

absl::StatusOr<std::shared_ptr<Run>> RunTable::Find(const std::string& id) const {
  if (id.empty()) return absl::InvalidArgumentError("run is empty; give a run's id");
  absl::MutexLock lock(&mutex_);
  const auto found = runs_.find(id);
  if (found != runs_.end()) return found->second;
  if (MayBePrefix(id)) return FindByPrefixLocked(id);
  return NoRun(id);
}

absl::StatusOr<std::shared_ptr<Run>> RunTable::FindByPrefixLocked(const std::string& prefix) const {
  const auto begin = runs_.lower_bound(prefix);
  auto end = begin;
  std::string candidates;
  size_t count = 0;
  for (; end != runs_.end() && absl::StartsWith(end->first, prefix); ++end) {
    if (++count <= kNamedCandidates)
      absl::StrAppend(&candidates, count > 1 ? ", " : "", end->first);
    if (count > kNamedCandidates) break;
  }
  if (count == 0) return NoRun(prefix);
  if (count == 1) return begin->second;
  return absl::InvalidArgumentError(
      absl::StrCat("run ", Quoted(prefix), " is the beginning of several ids: ", candidates,
                   count > kNamedCandidates ? ", ..." : "", "; give more of the one you mean"));
}

std::vector<std::shared_ptr<Run>> RunTable::List(const std::string& before, size_t limit,
                                                 absl::FunctionRef<bool(const Run&)> wanted) const {
  std::vector<std::shared_ptr<Run>> runs;
  absl::MutexLock lock(&mutex_);
  auto it = before.empty() ? runs_.end() : runs_.lower_bound(before);
  while (it != runs_.begin() && runs.size() < limit) {
    --it;
    if (wanted(*it->second)) runs.push_back(it->second);
  }
  return runs;
}

std::map<std::pair<std::string, v1::RunState>, int64_t> RunTable::Count() const {
  std::map<std::pair<std::string, v1::RunState>, int64_t> counts;
  absl::MutexLock lock(&mutex_);
  for (const auto& [id, run] : runs_) ++counts[{run->job(), run->state()}];
  return counts;
}

std::vector<std::shared_ptr<Run>> RunTable::Active() const {
  std::vector<std::shared_ptr<Run>> runs;
  absl::MutexLock lock(&mutex_);
  for (const auto& [id, run] : active_) {
    if (!IsFinal(run->state())) runs.push_back(run);
  }
  return runs;
}

bool RunTable::IsIdle() const {
  absl::MutexLock lock(&mutex_);
  return active_.empty();
}

bool RunTable::AwaitIdle(absl::Duration grace) const {
  Clock* const clock = waker_->clock();
  const absl::Duration deadline = clock->Steady() + grace;
  std::unique_lock lock(idle_mutex_);
  while (!IsIdle()) {
    if (clock->Steady() >= deadline) return false;
    clock->WaitUntil(deadline, lock, idle_changed_);
  }
  return true;
}

int64_t RunTable::version() const {
  absl::MutexLock lock(&mutex_);
  return version_;
}

std::optional<RunTable::Change> RunTable::Next(int64_t* version) const {
  absl::MutexLock lock(&mutex_);
  const auto next = changes_.upper_bound(*version);
  if (next == changes_.end()) return std::nullopt;
  *version = next->first;
  return next->second;
}

bool RunTable::Wait(int64_t version, std::function<void()> wake, int64_t* id) {
  absl::MutexLock lock(&mutex_);
  if (version < version_) return false;
  *id = waits_.Add(std::move(wake));
  return true;
}

void RunTable::CancelWait(int64_t id) {
  WaitList::Function forgotten;  // destroyed without the lock
  absl::MutexLock lock(&mutex_);
  forgotten = waits_.Remove(id);
}

RunWatch::RunWatch(RunTable* table, std::string job)
    : table_(table), job_(std::move(job)), version_(table->version()) {
  for (auto& run : table_->Active()) initial_.push_back(std::move(run));
}

std::optional<v1::Run> RunWatch::Next() {
  while (!initial_.empty()) {
    const std::shared_ptr<Run> run = std::move(initial_.front());
    initial_.pop_front();
    if (IsWanted(run->job())) return run->Get();
  }
  while (const auto change = table_->Next(&version_)) {
    if (!IsWanted(change->deleted ? change->deleted->job() : change->run->job())) continue;
    return change->deleted ? *change->deleted : change->run->Get();
  }
  return std::nullopt;
}

bool RunWatch::Wait(std::function<void()> wake) {
  CancelWait();
  return table_->Wait(version_, std::move(wake), &wait_);
}

void RunWatch::CancelWait() {
  if (wait_ >= 0) table_->CancelWait(std::exchange(wait_, -1));
}

}  // namespace jobtail
