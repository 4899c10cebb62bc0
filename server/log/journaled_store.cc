#include "server/log/journaled_store.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "server/log/store_keys.h"

namespace jobtail {
namespace {

constexpr char kFileName[] = "/journal";

// So much of one log waits at most: a batch that the database takes as it likes them.
constexpr size_t kMostWaiting = kBatchBytes;

// `batches`, consecutive ones, as batches of about `bytes` at most.
std::vector<Batch> Join(absl::Span<const Batch> batches, size_t bytes) {
  std::vector<Batch> joined;
  for (size_t i = 0; i < batches.size();) {
    size_t size = batches[i].bytes->size();
    size_t end = i + 1;
    while (end < batches.size() && size + batches[end].bytes->size() <= bytes) {
      size += batches[end++].bytes->size();
    }
    Batch batch = batches[end - 1];
    batch.first = batches[i].first;
    if (end > i + 1) {
      std::string all;
      all.reserve(size);
      for (; i < end; ++i) all.append(*batches[i].bytes);
      batch.bytes = Share(std::move(all));
    }
    joined.push_back(std::move(batch));
    i = end;
  }
  return joined;
}

size_t BytesOf(absl::Span<const Batch> batches) {
  size_t bytes = 0;
  for (const Batch& batch : batches) bytes += batch.bytes->size();
  return bytes;
}

}  // namespace

absl::StatusOr<std::unique_ptr<JournaledStore>> JournaledStore::Open(RocksDbOptions options,
                                                                     JournalOptions journal) {
  std::unique_ptr<JournaledStore> result(new JournaledStore(journal));
  const std::string path = options.directory + kFileName;
  const bool is_used = options.sync != SyncMode::kAlways;
  auto store = RocksDbStore::Open(std::move(options));
  if (!store.ok()) return store.status();
  result->store_ = *std::move(store);
  auto opened = Journal::Open(path, journal.bytes);
  if (!opened.ok()) return opened.status();
  result->journal_ = *std::move(opened);
  if (const absl::Status recovered = result->Recover(); !recovered.ok()) return recovered;
  if (!is_used) result->journal_.reset();
  result->store_->SetBeforeSync([store = result.get()] { store->HandOn(); });
  return result;
}

JournaledStore::~JournaledStore() {
  if (store_) HandOn();
}

// What a former process has left goes into the database.
absl::Status JournaledStore::Recover() {
  const auto entries = journal_->Recovered();
  if (!entries.ok()) return entries.status();
  if (entries->empty()) return absl::OkStatus();
  const auto logs = Continuing(*entries);
  if (!logs.ok()) return logs.status();
  int64_t records = 0;
  for (const auto& [run, batches] : *logs) {
    const bool is_last = run == logs->rbegin()->first;  // forces all of them onto the disk
    const auto joined = Join(batches, options_.join_bytes);
    if (absl::Status stored = store_->AppendPromised(run, joined, is_last); !stored.ok()) {
      return stored;
    }
    records += batches.back().last - batches.front().first + 1;
  }
  if (records > 0) {
    spdlog::info("journal: {} records of {} runs were handed on to the database", records,
                 logs->size());
  }
  return journal_->Clear();
}

// Those of `entries` that continue the logs of the database, by run. Most do not, in the course of
// things: the database has them. If the machine has crashed, it may lack what came before them.
absl::StatusOr<std::map<std::string, std::vector<Batch>>> JournaledStore::Continuing(
    const std::vector<Journal::Entry>& entries) {
  std::map<std::string, std::vector<Batch>> logs;
  absl::flat_hash_map<std::string, int64_t> next;  // 0: of this run nothing is taken
  for (const auto& [run, batch] : entries) {
    const auto [known, is_new] = next.try_emplace(run, 0);
    if (is_new) {
      const absl::StatusOr<int64_t> expected = NextInDatabase(run);
      if (!expected.ok()) return expected.status();
      known->second = *expected;
    }
    if (known->second == 0 || batch.first < known->second) continue;
    if (batch.first > known->second) {
      spdlog::error("run {}: records {} to {} are lost, and those after them in the journal", run,
                    known->second, batch.first - 1);
      known->second = 0;
      continue;
    }
    known->second = batch.last + 1;
    logs[run].push_back(batch);
  }
  return logs;
}

// What would continue the run's log; 0 if it is deleted, or damaged.
absl::StatusOr<int64_t> JournaledStore::NextInDatabase(const std::string& run) {
  const absl::StatusOr<LogExtent> extent = store_->GetExtent(run);
  if (extent.ok()) return extent->last + 1;
  if (absl::IsNotFound(extent.status())) return 0;
  if (!absl::IsDataLoss(extent.status())) return extent.status();
  spdlog::error("run {}: what the journal has of it is lost: {}", run, extent.status().ToString());
  return 0;
}

absl::StatusOr<std::shared_ptr<JournaledStore::Growing>> JournaledStore::FindOrAdd(
    const std::string& run) {
  if (auto known = Find(run)) return known;
  const absl::StatusOr<std::string> key = RunKey(run);
  if (!key.ok()) return key.status();
  const absl::StatusOr<LogExtent> extent = store_->GetExtent(run);
  if (!extent.ok()) return extent.status();
  auto log = std::make_shared<Growing>(*key);
  {
    absl::MutexLock lock(&log->writing);
    log->last = extent->last;
  }
  absl::MutexLock lock(&mutex_);
  return growing_.try_emplace(run, std::move(log)).first->second;
}

std::shared_ptr<JournaledStore::Growing> JournaledStore::Find(const std::string& run) {
  absl::MutexLock lock(&mutex_);
  const auto found = growing_.find(run);
  return found == growing_.end() ? nullptr : found->second;
}

// What the database may not have yet, though it may have by the time that it is asked.
std::vector<Batch> JournaledStore::Waiting(const std::string& run) {
  const auto log = Find(run);
  if (!log) return {};
  absl::MutexLock lock(&log->mutex);
  return log->waiting;
}

absl::Status JournaledStore::Append(const std::string& run, absl::Span<const Batch> batches,
                                    bool sync) {
  if (!journal_) return store_->Append(run, batches, sync);
  const auto log = FindOrAdd(run);
  if (!log.ok()) return log.status();
  Growing* const growing = log->get();
  absl::MutexLock lock(&growing->writing);
  if (!sync && Takes(*growing, batches) && WriteToJournal(batches.front(), growing)) {
    return absl::OkStatus();
  }
  if (const absl::Status stored = Store(run, batches, sync, growing); !stored.ok()) return stored;
  if (!sync) return absl::OkStatus();
  absl::MutexLock lock_all(&mutex_);  // most likely its end
  growing_.erase(run);
  return absl::OkStatus();
}

// Whether this is for the journal. What is wrong about it the database will say.
bool JournaledStore::Takes(const Growing& log, absl::Span<const Batch> batches) const {
  return batches.size() == 1 && batches.front().first == log.last + 1 &&
         batches.front().last > log.last && batches.front().bytes->size() <= options_.largest &&
         log.waiting_bytes < kMostWaiting && store_->CheckHealth().ok();
}

bool JournaledStore::WriteToJournal(const Batch& batch, Growing* log) {
  const auto half = journal_->Write(log->key, batch);
  if (!half) return false;
  log->last = batch.last;
  log->waiting_bytes += batch.bytes->size();
  absl::MutexLock lock(&log->mutex);
  log->waiting.push_back(batch);
  log->halves.push_back(*half);
  return true;
}

// Puts what waits, and `batches` after it, into the database.
absl::Status JournaledStore::Store(const std::string& run, absl::Span<const Batch> batches,
                                   bool sync, Growing* log) {
  std::vector<Batch> all;
  {
    absl::MutexLock lock(&log->mutex);
    all = Join(log->waiting, options_.join_bytes);
  }
  all.insert(all.end(), batches.begin(), batches.end());
  // The end of a run is let in where nothing else is, with what waited before it.
  const bool is_promised = batches.empty() || (sync && BytesOf(batches) <= kBatchBytes);
  const absl::Status stored =
      is_promised ? store_->AppendPromised(run, all, sync) : store_->Append(run, all, sync);
  if (!stored.ok()) return stored;
  if (!all.empty()) log->last = all.back().last;
  Forget(log);
  return absl::OkStatus();
}

// Forgets what waited.
void JournaledStore::Forget(Growing* log) {
  log->waiting_bytes = 0;
  std::vector<Batch> waiting;
  std::vector<Journal::Half> halves;
  {
    absl::MutexLock lock(&log->mutex);
    log->waiting.swap(waiting);
    log->halves.swap(halves);
  }
  for (const Journal::Half half : halves) journal_->Release(half);
}

void JournaledStore::HandOn() {
  std::vector<std::string> runs;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [run, log] : growing_) runs.push_back(run);
  }
  for (const std::string& run : runs) HandOn(run);
}

// Where the database refuses, it stays as it is, until the next time.
void JournaledStore::HandOn(const std::string& run) {
  const auto log = Find(run);
  if (!log) return;
  absl::MutexLock lock(&log->writing);
  {
    absl::MutexLock lock_waiting(&log->mutex);
    if (log->waiting.empty()) return;
  }
  const absl::Status stored = Store(run, {}, /*sync=*/false, log.get());
  if (absl::IsNotFound(stored)) Forget(log.get());
}

absl::Status JournaledStore::DeleteRun(const std::string& run) {
  const auto log = Find(run);
  if (!log) return store_->DeleteRun(run);
  absl::MutexLock lock(&log->writing);
  if (const absl::Status deleted = store_->DeleteRun(run); !deleted.ok()) return deleted;
  Forget(log.get());
  absl::MutexLock lock_all(&mutex_);
  growing_.erase(run);
  return absl::OkStatus();
}

absl::StatusOr<LogExtent> JournaledStore::GetExtent(const std::string& run) {
  const std::vector<Batch> waiting = Waiting(run);
  absl::StatusOr<LogExtent> extent = store_->GetExtent(run);
  if (!extent.ok()) return extent;
  for (const Batch& batch : waiting) {
    if (batch.first <= extent->last) continue;  // handed on meanwhile
    if (extent->last == 0) extent->first = batch.first;
    extent->last = batch.last;
    extent->bytes += static_cast<int64_t>(batch.bytes->size());
    extent->last_time_unix_nanos = batch.last_time_unix_nanos;
    extent->total_lines = batch.total_lines;
    extent->total_bytes = batch.total_bytes;
  }
  return extent;
}

// Looks at what waits first: what is no longer there by then, the database has.
absl::StatusOr<Batch> JournaledStore::Read(const std::string& run, int64_t sequence) {
  std::optional<Batch> next;
  if (const auto log = Find(run)) {
    absl::MutexLock lock(&log->mutex);
    const auto found = std::ranges::lower_bound(log->waiting, sequence, {}, &Batch::last);
    if (found != log->waiting.end()) next = *found;
  }
  if (next && next->first <= sequence) return *next;
  absl::StatusOr<Batch> batch = store_->Read(run, sequence);
  if (next && absl::IsNotFound(batch.status())) return *next;
  return batch;
}

absl::StatusOr<Batch> JournaledStore::FindTime(const std::string& run, int64_t unix_nanos) {
  std::optional<Batch> next;
  if (const auto log = Find(run)) {
    absl::MutexLock lock(&log->mutex);
    const auto found =
        std::ranges::lower_bound(log->waiting, unix_nanos, {}, &Batch::last_time_unix_nanos);
    if (found != log->waiting.end()) next = *found;
  }
  absl::StatusOr<Batch> batch = store_->FindTime(run, unix_nanos);
  if (next && absl::IsNotFound(batch.status())) return *next;
  return batch;
}

absl::StatusOr<int64_t> JournaledStore::FindBytes(const std::string& run, int64_t bytes) {
  HandOn(run);
  return store_->FindBytes(run, bytes);
}

absl::Status JournaledStore::Trim(const std::string& run, int64_t first) {
  HandOn(run);
  return store_->Trim(run, first);
}

}  // namespace jobtail
