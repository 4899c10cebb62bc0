// All runs of a server, and the order of their changes.
#include "server/run/run_table.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/codec/run_state.h"
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

// Gives `use` the first `limit` of what is in several stretches, each of which is in the order that
// `comes_before` tells.
template <typename Iterator, typename Before, typename Use>
void Merge(std::vector<std::pair<Iterator, Iterator>> stretches, Before comes_before, size_t limit,
           Use use) {
  std::erase_if(stretches, [](const auto& stretch) { return stretch.first == stretch.second; });
  const auto later = [&](const auto& a, const auto& b) { return comes_before(*b.first, *a.first); };
  std::ranges::make_heap(stretches, later);
  for (; limit > 0 && !stretches.empty(); --limit) {
    std::ranges::pop_heap(stretches, later);
    auto& [next, end] = stretches.back();
    use(*next);
    if (++next == end) {
      stretches.pop_back();
    } else {
      std::ranges::push_heap(stretches, later);
    }
  }
}

template <typename IdsByState>
bool AreEmpty(const IdsByState& ids) {
  return std::ranges::all_of(ids, [](const auto& each) { return each.empty(); });
}

}  // namespace

void RunTable::Add(std::shared_ptr<Run> run) {
  const v1::RunState state = run->state();
  absl::MutexLock lock(&mutex_);
  const Id id = run->id();
  active_.emplace(id, run);
  AddLocked(std::move(run), state);
  TouchLocked(id, &runs_.at(id));
}

void RunTable::AddEnded(std::shared_ptr<Run> run) {
  const v1::RunState state = run->state();
  const int64_t end = absl::ToInt64Nanoseconds(run->ended());
  absl::MutexLock lock(&mutex_);
  jobs_[run->job()].earlier_by_end.emplace(end, run->id());
  AddLocked(std::move(run), state);
}

void RunTable::InsertLocked(Id id, const Run& run, v1::RunState state) {
  JobRuns& job = jobs_[run.job()];
  job.by_state[state].insert(id);
  if (!run.created_by().empty()) job.by_creator[run.created_by()][state].insert(id);
}

void RunTable::EraseLocked(Id id, const Run& run, v1::RunState state) {
  JobRuns& job = jobs_.at(run.job());
  job.by_state[state].erase(id);
  if (!run.created_by().empty()) job.by_creator.at(run.created_by())[state].erase(id);
}

void RunTable::AddLocked(std::shared_ptr<Run> run, v1::RunState state) {
  const Id id = run->id();
  InsertLocked(id, *run, state);
  runs_.try_emplace(id, Entry{std::move(run), state});
}

void RunTable::Move(const std::string& id, v1::RunState state, absl::Duration now) {
  absl::MutexLock lock(&mutex_);
  const auto found = runs_.find(id);
  if (found == runs_.end()) return;
  Entry& entry = found->second;
  EraseLocked(found->first, *entry.run, entry.state);
  InsertLocked(found->first, *entry.run, state);
  entry.state = state;
  JobRuns& job = jobs_.at(entry.run->job());
  if (IsFinal(state)) job.by_end.emplace(absl::ToInt64Nanoseconds(now), found->first);
}

void RunTable::Remove(absl::Span<const std::shared_ptr<Run>> runs) {
  std::vector<Removal> removals;
  const auto now = FromUnixNanos(absl::ToUnixNanos(waker_->clock()->Now()));
  for (const auto& run : runs) {
    Removal& removal = removals.emplace_back(Removal{run.get(), run->ended(), run->Get()});
    removal.last.clear_parameters();
    removal.last.clear_cut_parameters();
    removal.last.clear_omitted_parameters();
    *removal.last.mutable_delete_time() = now;
  }
  absl::MutexLock lock(&mutex_);
  for (Removal& removal : removals) RemoveLocked(&removal);
}

// The caller holds the run, whose id the table forgets.
void RunTable::RemoveLocked(Removal* removal) {
  const auto found = runs_.find(removal->run->id());
  if (found == runs_.end()) return;
  const Entry& entry = found->second;
  const auto job = jobs_.find(removal->run->job());
  EraseLocked(found->first, *entry.run, entry.state);
  const std::pair end(absl::ToInt64Nanoseconds(removal->ended), found->first);
  if (job->second.by_end.erase(end) == 0) job->second.earlier_by_end.erase(end);
  if (const auto its = job->second.by_creator.find(entry.run->created_by());
      its != job->second.by_creator.end() && AreEmpty(its->second)) {
    job->second.by_creator.erase(its);
  }
  if (AreEmpty(job->second.by_state)) jobs_.erase(job);
  changes_.erase(entry.version);
  runs_.erase(found);
  deleted_.emplace(++version_, std::move(removal->last));
  if (deleted_.size() > kKeptDeletions) deleted_.erase(deleted_.begin());
  WakeLocked();
}

void RunTable::Touch(const std::string& id) {
  absl::MutexLock lock(&mutex_);
  const auto found = runs_.find(id);
  if (found != runs_.end()) TouchLocked(found->first, &found->second);
}

// The table may be gone as soon as whoever waits for the last run can go on.
void RunTable::Done(const std::string& id) {
  const std::lock_guard idle_lock(idle_mutex_);
  absl::MutexLock lock(&mutex_);
  active_.erase(id);
  if (active_.empty()) idle_changed_.notify_all();
}

void RunTable::TouchLocked(Id id, Entry* entry) {
  changes_.erase(entry->version);
  entry->version = ++version_;
  changes_.emplace(version_, id);
  WakeLocked();
}

void RunTable::WakeLocked() {
  if (waits_.empty()) return;
  waker_->Soon([waits = waits_.TakeAll()] { WaitList::CallAll(waits); });
}

absl::StatusOr<std::shared_ptr<Run>> RunTable::Find(const std::string& id,
                                                    const RunFilter& filter) const {
  if (id.empty()) return absl::InvalidArgumentError("run is empty; give a run's id");
  absl::MutexLock lock(&mutex_);
  const auto found = runs_.find(id);
  if (found != runs_.end()) {
    const Run& run = *found->second.run;
    if (filter.Covers(run.job(), run.created_by())) return found->second.run;
  }
  if (MayBePrefix(id)) return FindByPrefixLocked(id, filter);
  return NoRun(id);
}

absl::StatusOr<std::shared_ptr<Run>> RunTable::FindByPrefixLocked(const std::string& prefix,
                                                                  const RunFilter& filter) const {
  using Forwards = Ids::const_iterator;
  std::vector<std::pair<Forwards, Forwards>> stretches;
  for (const Ids* ids : ChooseLocked(filter)) {
    stretches.emplace_back(ids->lower_bound(prefix), ids->end());
  }
  std::vector<Id> found;
  Merge(std::move(stretches), std::less<>(), kNamedCandidates + 1, [&](Id id) {
    if (id.starts_with(prefix)) found.push_back(id);
  });
  if (found.empty()) return NoRun(prefix);
  if (found.size() == 1) return runs_.at(found.front()).run;
  const size_t count = found.size();
  found.resize(std::min(count, kNamedCandidates));
  const std::string candidates =
      absl::StrJoin(found, ", ", [](std::string* text, Id id) { text->append(id); });
  return absl::InvalidArgumentError(
      absl::StrCat("run ", Quoted(prefix), " is the beginning of several ids: ", candidates,
                   count > kNamedCandidates ? ", ..." : "", "; give more of the one you mean"));
}

// Those of the job's runs that are wanted by whose they are; null: none.
const RunTable::IdsByState* RunTable::ChooseLocked(const std::string& name, const JobRuns& job,
                                                   const RunFilter& filter) {
  const access::Scope scope = filter.ScopeOf(name);
  if (scope == access::Scope::kNone) return nullptr;
  if (scope == access::Scope::kAll && filter.created_by.empty()) return &job.by_state;
  const bool is_own = scope == access::Scope::kOwn;
  if (is_own && !filter.created_by.empty() && filter.created_by != filter.owner) return nullptr;
  const auto found = job.by_creator.find(is_own ? filter.owner : filter.created_by);
  return found == job.by_creator.end() ? nullptr : &found->second;
}

// The sets that have the runs that are wanted, and no others.
std::vector<const RunTable::Ids*> RunTable::ChooseLocked(const RunFilter& filter) const {
  std::vector<const Ids*> chosen;
  auto job = filter.job.empty() ? jobs_.begin() : jobs_.find(filter.job);
  const auto end = filter.job.empty() || job == jobs_.end() ? jobs_.end() : std::next(job);
  for (; job != end; ++job) {
    const IdsByState* const ids = ChooseLocked(job->first, job->second, filter);
    if (!ids) continue;
    for (int state = 0; state < v1::RunState_ARRAYSIZE; ++state) {
      if (filter.Wants(static_cast<v1::RunState>(state))) chosen.push_back(&(*ids)[state]);
    }
  }
  return chosen;
}

std::vector<std::shared_ptr<Run>> RunTable::List(const std::string& before, size_t limit,
                                                 const RunFilter& filter) const {
  using Backwards = Ids::const_reverse_iterator;
  std::vector<std::shared_ptr<Run>> runs;
  absl::MutexLock lock(&mutex_);
  std::vector<std::pair<Backwards, Backwards>> stretches;
  for (const Ids* ids : ChooseLocked(filter)) {
    stretches.emplace_back(before.empty() ? ids->rbegin() : Backwards(ids->lower_bound(before)),
                           ids->rend());
  }
  Merge(std::move(stretches), std::greater<>(), limit,
        [&](Id id) ABSL_NO_THREAD_SAFETY_ANALYSIS { runs.push_back(runs_.at(id).run); });
  return runs;
}

std::vector<std::shared_ptr<Run>> RunTable::ListOldest(const std::string& after, size_t limit,
                                                       const RunFilter& filter) const {
  using Forwards = Ids::const_iterator;
  std::vector<std::shared_ptr<Run>> runs;
  absl::MutexLock lock(&mutex_);
  std::vector<std::pair<Forwards, Forwards>> stretches;
  for (const Ids* ids : ChooseLocked(filter)) {
    stretches.emplace_back(ids->upper_bound(after), ids->end());
  }
  Merge(std::move(stretches), std::less<>(), limit,
        [&](Id id) ABSL_NO_THREAD_SAFETY_ANALYSIS { runs.push_back(runs_.at(id).run); });
  return runs;
}

std::vector<std::shared_ptr<Run>> RunTable::ListEnded(const std::string& job, absl::Duration time,
                                                      absl::Duration of_earlier,
                                                      size_t limit) const {
  std::vector<std::shared_ptr<Run>> runs;
  absl::MutexLock lock(&mutex_);
  const auto found = jobs_.find(job);
  if (found == jobs_.end()) return runs;
  const JobRuns& its = found->second;
  for (const auto& [ended, before] :
       {std::pair(&its.earlier_by_end, of_earlier), std::pair(&its.by_end, time)}) {
    for (const auto& [end, id] : *ended) {
      if (end >= absl::ToInt64Nanoseconds(before) || runs.size() == limit) break;
      runs.push_back(runs_.at(id).run);
    }
  }
  return runs;
}

std::map<std::pair<std::string, v1::RunState>, int64_t> RunTable::Count() const {
  std::map<std::pair<std::string, v1::RunState>, int64_t> counts;
  absl::MutexLock lock(&mutex_);
  for (const auto& [job, runs] : jobs_) {
    for (int state = 0; state < v1::RunState_ARRAYSIZE; ++state) {
      const size_t count = runs.by_state[state].size();
      if (count > 0) counts[{job, static_cast<v1::RunState>(state)}] = static_cast<int64_t>(count);
    }
  }
  return counts;
}

std::vector<std::shared_ptr<Run>> RunTable::Active() const {
  std::vector<std::shared_ptr<Run>> runs;
  absl::MutexLock lock(&mutex_);
  for (const auto& [id, run] : active_) {
    const auto found = runs_.find(id);
    if (found != runs_.end() && !IsFinal(found->second.state)) runs.push_back(run);
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
  const auto changed = changes_.upper_bound(*version);
  const auto deleted = deleted_.upper_bound(*version);
  if (deleted != deleted_.end() && (changed == changes_.end() || deleted->first < changed->first)) {
    *version = deleted->first;
    return Change{nullptr, deleted->second};
  }
  if (changed == changes_.end()) return std::nullopt;
  *version = changed->first;
  return Change{runs_.at(changed->second).run, std::nullopt};
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

RunWatch::RunWatch(RunTable* table, std::string job, std::unique_ptr<View> view)
    : table_(table), job_(std::move(job)), view_(std::move(view)), version_(table->version()) {
  for (auto& run : table_->Active()) initial_.push_back(std::move(run));
}

bool RunWatch::IsWanted(const std::string& job, const std::string& created_by) const {
  if (!job_.empty() && job != job_) return false;
  return !view_ || view_->May(access::Verb::kList, job, created_by);
}

v1::Run RunWatch::Show(const Run& run) const { return view_ ? view_->Show(run.Get()) : run.Get(); }

// Who may not read on sees nothing more until the stream ends, which is soon.
std::optional<v1::Run> RunWatch::Next() {
  if (view_ && !view_->Refresh().ok()) return std::nullopt;
  while (!initial_.empty()) {
    const std::shared_ptr<Run> run = std::move(initial_.front());
    initial_.pop_front();
    if (IsWanted(run->job(), run->created_by())) return Show(*run);
  }
  while (const auto change = table_->Next(&version_)) {
    if (change->deleted) {
      if (IsWanted(change->deleted->job(), change->deleted->created_by())) return change->deleted;
    } else if (IsWanted(change->run->job(), change->run->created_by())) {
      return Show(*change->run);
    }
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
