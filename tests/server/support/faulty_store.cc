// The faults of the store that tests disturb.

#include "tests/server/support/faulty_store.h"

#include <utility>

namespace jobtail::testing {

void FaultyStore::Block(Call call, const std::string& run) {
  absl::MutexLock lock(&mutex_);
  Fault& fault = faults_[call];
  if (run.empty()) {
    fault.blocks_all = true;
  } else {
    fault.blocked_runs.insert(run);
  }
}

void FaultyStore::Unblock(Call call) {
  absl::MutexLock lock(&mutex_);
  faults_[call].blocks_all = false;
  faults_[call].blocked_runs.clear();
}

void FaultyStore::AwaitBlocked(Call call, int calls) {
  absl::MutexLock lock(&mutex_);
  Fault& fault = faults_[call];
  const auto waits = [&fault, calls] { return fault.waiting >= calls; };
  mutex_.Await(absl::Condition(&waits));
}

void FaultyStore::Fail(Call call, const absl::Status& error, int times) {
  absl::MutexLock lock(&mutex_);
  faults_[call].error = error;
  faults_[call].failures = times;
}

void FaultyStore::AfterNext(Call call, std::function<void()> function) {
  absl::MutexLock lock(&mutex_);
  faults_[call].after = std::move(function);
}

void FaultyStore::ReplaceNextRead(const Batch& batch) {
  absl::MutexLock lock(&mutex_);
  replacement_ = batch;
}

std::optional<Batch> FaultyStore::TakeReplacement() {
  absl::MutexLock lock(&mutex_);
  return std::exchange(replacement_, std::nullopt);
}

void FaultyStore::Damage(int64_t first, int64_t last) {
  absl::MutexLock lock(&mutex_);
  damage_[first] = last;
}

// The record, or the first after it that can be read.
int64_t FaultyStore::BehindDamage(int64_t sequence) const {
  absl::MutexLock lock(&mutex_);
  for (const auto& [first, last] : damage_) {
    if (sequence >= first && sequence <= last) sequence = last + 1;
  }
  return sequence;
}

int64_t FaultyStore::count(Call call) const {
  absl::MutexLock lock(&mutex_);
  const auto found = faults_.find(call);
  return found == faults_.end() ? 0 : found->second.count;
}

void FaultyStore::AwaitCount(Call call, int64_t count) const {
  absl::MutexLock lock(&mutex_);
  const auto reached = [this, call, count]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const auto found = faults_.find(call);
    return found != faults_.end() && found->second.count >= count;
  };
  mutex_.Await(absl::Condition(&reached));
}

std::vector<FaultyStore::Appended> FaultyStore::appended() const {
  absl::MutexLock lock(&mutex_);
  return appended_;
}

absl::Status FaultyStore::Before(Call call, const std::string& run) {
  absl::MutexLock lock(&mutex_);
  Fault& fault = faults_[call];
  ++fault.count;
  const auto passes = [&] { return !fault.Blocks(run); };
  ++fault.waiting;
  mutex_.Await(absl::Condition(&passes));
  --fault.waiting;
  if (fault.failures == 0) return absl::OkStatus();
  --fault.failures;
  return fault.error;
}

void FaultyStore::After(Call call) {
  std::function<void()> after;
  {
    absl::MutexLock lock(&mutex_);
    after = std::exchange(faults_[call].after, nullptr);
  }
  if (after) after();
}

absl::Status FaultyStore::PutRun(const storage::v1::StoredRun& run) {
  if (absl::Status status = Before(Call::kPutRun, run.run().id()); !status.ok()) return status;
  const absl::Status result = store_->PutRun(run);
  After(Call::kPutRun);
  return result;
}

absl::StatusOr<storage::v1::StoredRun> FaultyStore::GetRun(const std::string& run) {
  if (absl::Status status = Before(Call::kGetRun, run); !status.ok()) return status;
  auto result = store_->GetRun(run);
  After(Call::kGetRun);
  return result;
}

absl::Status FaultyStore::ForEachRun(UseRun use) {
  if (absl::Status status = Before(Call::kForEachRun, ""); !status.ok()) return status;
  const absl::Status result = store_->ForEachRun(use);
  After(Call::kForEachRun);
  return result;
}

absl::Status FaultyStore::DeleteRun(const std::string& run) {
  if (absl::Status status = Before(Call::kDeleteRun, run); !status.ok()) return status;
  const absl::Status result = store_->DeleteRun(run);
  After(Call::kDeleteRun);
  return result;
}

absl::Status FaultyStore::DeleteRuns(absl::Span<const std::string> runs) {
  const std::string first = runs.empty() ? "" : runs.front();
  if (absl::Status status = Before(Call::kDeleteRuns, first); !status.ok()) return status;
  const absl::Status result = store_->DeleteRuns(runs);
  After(Call::kDeleteRuns);
  return result;
}

absl::Status FaultyStore::Append(const std::string& run, absl::Span<const Batch> batches,
                                 bool sync) {
  if (absl::Status status = Before(Call::kAppend, run); !status.ok()) return status;
  const absl::Status result = store_->Append(run, batches, sync);
  if (result.ok()) {
    absl::MutexLock lock(&mutex_);
    appended_.push_back({batches.size(), sync});
  }
  After(Call::kAppend);
  return result;
}

absl::StatusOr<LogExtent> FaultyStore::GetExtent(const std::string& run) {
  if (absl::Status status = Before(Call::kGetExtent, run); !status.ok()) return status;
  auto result = store_->GetExtent(run);
  After(Call::kGetExtent);
  return result;
}

absl::StatusOr<Batch> FaultyStore::Read(const std::string& run, int64_t sequence) {
  if (absl::Status status = Before(Call::kRead, run); !status.ok()) return status;
  if (auto replacement = TakeReplacement()) return *replacement;
  auto result = store_->Read(run, BehindDamage(sequence));
  After(Call::kRead);
  return result;
}

std::optional<LogStore::CompressedBatch> FaultyStore::ReadCompressed(const std::string& run,
                                                                     int64_t sequence) {
  if (!Before(Call::kReadCompressed, run).ok() || BehindDamage(sequence) != sequence) {
    return std::nullopt;
  }
  auto result = store_->ReadCompressed(run, sequence);
  After(Call::kReadCompressed);
  return result;
}

absl::StatusOr<Batch> FaultyStore::FindTime(const std::string& run, int64_t unix_nanos) {
  if (absl::Status status = Before(Call::kFindTime, run); !status.ok()) return status;
  auto result = store_->FindTime(run, unix_nanos);
  After(Call::kFindTime);
  return result;
}

absl::StatusOr<int64_t> FaultyStore::FindBytes(const std::string& run, int64_t bytes) {
  if (absl::Status status = Before(Call::kFindBytes, run); !status.ok()) return status;
  auto result = store_->FindBytes(run, bytes);
  After(Call::kFindBytes);
  return result;
}

absl::Status FaultyStore::Trim(const std::string& run, int64_t first) {
  if (absl::Status status = Before(Call::kTrim, run); !status.ok()) return status;
  const absl::Status result = store_->Trim(run, first);
  After(Call::kTrim);
  return result;
}

absl::Status FaultyStore::CheckHealth() {
  if (absl::Status status = Before(Call::kCheckHealth, ""); !status.ok()) return status;
  return store_->CheckHealth();
}

}  // namespace jobtail::testing
