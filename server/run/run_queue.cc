// Places at work and in the queue.
#include "server/run/run_queue.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace jobtail {
namespace {

std::string AtMost(std::optional<int64_t> limit) {
  return limit ? absl::StrCat("at most ", *limit) : "without limit";
}

bool IsBelow(int64_t count, std::optional<int64_t> limit) { return !limit || count < *limit; }

}  // namespace

RunQueue::Count RunQueue::CountOfLocked(const std::string& job) const {
  const auto found = counts_.find(job);
  return found == counts_.end() ? Count() : found->second;
}

bool RunQueue::HasRoomLocked(const Job& job) const {
  return IsBelow(total_.running, limits_.max_running) &&
         IsBelow(CountOfLocked(job.name()).running, job.options().limits.max_running);
}

absl::Status RunQueue::RefusalLocked(const Job& job) const {
  const Count count = CountOfLocked(job.name());
  const RunLimits& own = job.options().limits;
  return absl::ResourceExhaustedError(absl::StrCat(
      "job ", job.name(), ": ", count.running, " runs at work (", AtMost(own.max_running), ") and ",
      count.queued, " queued (", AtMost(own.max_queued), "); on this server, ", total_.running,
      " at work (", AtMost(limits_.max_running), ") and ", total_.queued, " queued (",
      AtMost(limits_.max_queued), "); wait for one to end, or cancel one"));
}

void RunQueue::CountLocked(const std::string& job, Place place, int by) {
  Count& count = counts_[job];
  (place == Place::kAtWork ? count.running : count.queued) += by;
  (place == Place::kAtWork ? total_.running : total_.queued) += by;
  if (count.running == 0 && count.queued == 0) counts_.erase(job);
}

absl::StatusOr<RunQueue::Place> RunQueue::Enter(const Job& job) {
  absl::MutexLock lock(&mutex_);
  // Where there is room, nothing waits for it: it would have been promoted.
  const Place place = HasRoomLocked(job) ? Place::kAtWork : Place::kQueued;
  if (place == Place::kQueued &&
      (total_.queued >= limits_.max_queued ||
       CountOfLocked(job.name()).queued >= job.options().limits.max_queued)) {
    return RefusalLocked(job);
  }
  CountLocked(job.name(), place, +1);
  return place;
}

void RunQueue::Add(std::shared_ptr<Run> run, std::shared_ptr<const Job> job,
                   std::shared_ptr<void> held) {
  absl::MutexLock lock(&mutex_);
  queue_.push_back({std::move(run), std::move(job), std::move(held)});
  PromoteLocked();  // what it waits for may have ended meanwhile
}

void RunQueue::Leave(const std::string& job, Place place) {
  absl::MutexLock lock(&mutex_);
  CountLocked(job, place, -1);
  PromoteLocked();
}

void RunQueue::PromoteLocked() {
  for (auto it = queue_.begin(); it != queue_.end();) {
    const auto next = std::next(it);
    if (HasRoomLocked(*it->job)) {
      CountLocked(it->job->name(), Place::kAtWork, +1);
      CountLocked(it->job->name(), Place::kQueued, -1);
      it->held.reset();
      ready_.splice(ready_.end(), queue_, it);
    }
    it = next;
  }
}

bool RunQueue::Remove(const Run* run) {
  absl::MutexLock lock(&mutex_);
  const auto is_it = [run](const Entry& entry) { return entry.run.get() == run; };
  for (Entries* const entries : {&queue_, &ready_}) {
    const auto found = std::ranges::find_if(*entries, is_it);
    if (found == entries->end()) continue;
    CountLocked(found->job->name(), entries == &queue_ ? Place::kQueued : Place::kAtWork, -1);
    entries->erase(found);
    PromoteLocked();
    return true;
  }
  return false;
}

std::shared_ptr<Run> RunQueue::TakeReady() {
  absl::MutexLock lock(&mutex_);
  if (ready_.empty()) return nullptr;
  std::shared_ptr<Run> run = std::move(ready_.front().run);
  ready_.pop_front();
  return run;
}

}  // namespace jobtail
