// Decides what goes into the journal and what into the database.
#include "server/store/journaled_store.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/store/durable_file.h"
#include "server/store/journal_reader.h"
#include "server/store/journal_recovery.h"
#include "server/store/store_keys.h"

namespace jobtail {
namespace {

constexpr char kFileName[] = "/journal";

// So much of one log waits at most: a batch that the database takes as it likes them.
constexpr size_t kMostWaiting = kBatchBytes;

size_t BytesOf(absl::Span<const Batch> batches) {
  size_t bytes = 0;
  for (const Batch& batch : batches) bytes += batch.bytes->size();
  return bytes;
}

}  // namespace

absl::StatusOr<std::unique_ptr<JournaledStore>> JournaledStore::Open(
    const RocksDbOptions& options, const JournalOptions& journal) {
  auto store = RocksDbStore::Open(options);
  if (!store.ok()) return store.status();
  std::unique_ptr<JournaledStore> result(
      new JournaledStore(journal, options.sync == SyncMode::kAlways, *std::move(store)));
  const std::string path = options.directory + kFileName;
  const auto left = ReadJournal(path);
  if (!left.ok()) return left.status();
  absl::Status recovered = RecoverJournal(*left, journal.join_bytes, result->store_.get());
  if (!recovered.ok()) return recovered;
  auto made = Journal::Create(path, journal.bytes, journal.sync_file, options.clock);
  if (!made.ok()) return made.status();
  if (result->syncs_always_ && !SyncNames(options.directory)) {
    return absl::UnavailableError(absl::StrCat("data directory ", options.directory,
                                               ": its names cannot be synced: ", strerror(errno)));
  }
  result->journal_ = *std::move(made);
  result->store_->SetBeforeSync([store = result.get()](absl::FunctionRef<void()> progressed) {
    // What is refused waits, and is tried again before the next sync.
    store->MoveToDatabase(progressed).IgnoreError();
  });
  return result;
}

JournaledStore::~JournaledStore() {
  MoveToDatabase().IgnoreError();  // what is refused is in the journal
}

absl::StatusOr<std::shared_ptr<JournaledLog>> JournaledStore::FindOrAdd(const std::string& run) {
  if (auto known = Find(run)) return known;
  const absl::StatusOr<std::string> key = RunKey(run);
  if (!key.ok()) return key.status();
  const absl::StatusOr<LogExtent> extent = store_->GetExtent(run);
  if (!extent.ok()) return extent.status();
  auto log = std::make_shared<JournaledLog>(*key);
  {
    absl::MutexLock lock(&log->writing);
    log->last = extent->last;
  }
  absl::MutexLock lock(&mutex_);
  return logs_.try_emplace(run, std::move(log)).first->second;
}

std::shared_ptr<JournaledLog> JournaledStore::Find(const std::string& run) {
  absl::MutexLock lock(&mutex_);
  const auto found = logs_.find(run);
  return found == logs_.end() ? nullptr : found->second;
}

absl::Status JournaledStore::Append(const std::string& run, absl::Span<const Batch> batches,
                                    bool sync) {
  const auto found = FindOrAdd(run);
  if (!found.ok()) return found.status();
  JournaledLog* const log = found->get();
  if (!sync && AppendToJournal(batches, log)) return absl::OkStatus();
  if (absl::Status stored = AppendToDatabase(run, batches, sync, log); !stored.ok()) return stored;
  if (!sync) return absl::OkStatus();
  absl::MutexLock lock(&mutex_);  // most likely its end
  logs_.erase(run);
  return absl::OkStatus();
}

// What is wrong about a batch the database will say.
bool JournaledStore::IsForJournal(const JournaledLog& log, absl::Span<const Batch> batches) const {
  int64_t last = log.last;
  for (const Batch& batch : batches) {
    if (batch.first != last + 1 || batch.last < batch.first) return false;
    last = batch.last;
  }
  return !batches.empty() && BytesOf(batches) <= options_.largest &&
         log.waiting.bytes() < kMostWaiting && store_->IsWritable();
}

// Nullopt if the journal does not take all of them.
std::optional<JournaledStore::Halves> JournaledStore::WriteToJournal(
    absl::Span<const Batch> batches, const JournaledLog& log) {
  if (!IsForJournal(log, batches)) return std::nullopt;
  Halves halves;
  for (const Batch& batch : batches) {
    const auto half = journal_->Write(log.key, batch);
    if (!half) {
      Release(halves);
      return std::nullopt;
    }
    halves.push_back(*half);
  }
  return halves;
}

// Whoever moves what waits does not wait for the sync: what comes now is not among it, and the log
// has one append at a time.
bool JournaledStore::AppendToJournal(absl::Span<const Batch> batches, JournaledLog* log) {
  absl::MutexLock lock(&log->writing);
  const std::optional<Halves> halves = WriteToJournal(batches, *log);
  if (!halves) return false;
  if (syncs_always_) {
    log->writing.Unlock();
    const bool synced = journal_->Sync();
    log->writing.Lock();
    if (!synced) {
      Release(*halves);
      return false;
    }
  }
  log->last = batches.back().last;
  for (size_t i = 0; i < batches.size(); ++i) log->waiting.Add(batches[i], (*halves)[i]);
  return true;
}

// Puts what waits, and `batches` after it, into the database.
absl::Status JournaledStore::AppendToDatabase(const std::string& run,
                                              absl::Span<const Batch> batches, bool sync,
                                              JournaledLog* log) {
  const std::vector<Batch> waiting = log->BeginMove();
  std::vector<Batch> all = Join(waiting, options_.join_bytes);
  all.insert(all.end(), batches.begin(), batches.end());
  // The end of a run is let in where nothing else is, with what waited before it.
  const bool is_promised = batches.empty() || (sync && BytesOf(batches) <= kBatchBytes);
  absl::Status stored =
      is_promised ? store_->AppendPromised(run, all, sync) : store_->Append(run, all, sync);
  absl::MutexLock lock(&log->writing);
  log->EndMoveLocked();
  if (!stored.ok()) return stored;
  if (!all.empty()) log->last = all.back().last;
  ForgetWaiting(waiting.size(), log);
  return absl::OkStatus();
}

void JournaledStore::ForgetWaiting(size_t count, JournaledLog* log) {
  Release(log->waiting.Forget(count));
}

void JournaledStore::Release(absl::Span<const Journal::Half> halves) {
  for (const Journal::Half half : halves) journal_->Release(half);
}

absl::Status JournaledStore::MoveToDatabase(absl::FunctionRef<void()> progressed) {
  std::vector<std::string> runs;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [run, log] : logs_) {
      if (!log->waiting.empty()) runs.push_back(run);
    }
  }
  // First those that are free, then those that somebody else was moving: no log waits for another.
  absl::Status moved;
  std::vector<std::string> busy;
  for (size_t begin = 0; begin < runs.size(); begin += RocksDbLogWriter::kMostAtOnce) {
    moved.Update(
        MoveSome(absl::MakeSpan(runs).subspan(begin, RocksDbLogWriter::kMostAtOnce), &busy));
    progressed();
  }
  for (const std::string& run : busy) {
    moved.Update(MoveOne(run));
    progressed();
  }
  if (journal_) journal_->Mend();
  return moved;
}

// At once, with one sync in common where each write is synced. Those that somebody else is moving
// are left, and told.
absl::Status JournaledStore::MoveSome(absl::Span<const std::string> runs,
                                      std::vector<std::string>* busy) {
  std::vector<Move> moves;
  for (const std::string& run : runs) {
    auto log = Find(run);
    if (!log || log->waiting.empty()) continue;
    if (auto waiting = log->TryBeginMove()) {
      moves.push_back({run, std::move(log), *std::move(waiting)});
    } else {
      busy->push_back(run);
    }
  }
  return Finish(moves);
}

absl::Status JournaledStore::MoveOne(const std::string& run) {
  auto log = Find(run);
  if (!log) return absl::OkStatus();
  std::vector<Batch> waiting = log->BeginMove();
  return Finish({{run, std::move(log), std::move(waiting)}});
}

// Lines that come meanwhile go to the journal and wait for nothing here.
absl::Status JournaledStore::Finish(const std::vector<Move>& moves) {
  std::vector<RocksDbStore::Addition> additions;
  for (const Move& move : moves) {
    if (move.waiting.empty()) continue;
    additions.push_back({move.run, Join(move.waiting, options_.join_bytes), absl::OkStatus()});
  }
  if (!additions.empty()) store_->AppendAllPromised(absl::MakeSpan(additions));
  absl::Status moved;
  auto addition = additions.begin();
  for (const Move& move : moves) {
    const absl::Status result =
        move.waiting.empty() ? absl::OkStatus() : std::move((addition++)->result);
    absl::MutexLock lock(&move.log->writing);
    move.log->EndMoveLocked();
    // Of a run that is deleted, nothing is needed.
    if (result.ok() || absl::IsNotFound(result)) {
      ForgetWaiting(move.waiting.size(), move.log.get());
    } else {
      moved.Update(result);
    }
  }
  return moved;
}

// The copy has no journal.
absl::Status JournaledStore::Checkpoint(const std::string& directory) {
  if (absl::Status moved = MoveToDatabase(); !moved.ok()) return moved;
  return store_->Checkpoint(directory);
}

absl::Status JournaledStore::DeleteRun(const std::string& run) {
  const auto log = Find(run);
  if (!log) return store_->DeleteRun(run);
  log->BeginMove();
  const absl::Status deleted = store_->DeleteRun(run);
  {
    absl::MutexLock lock(&log->writing);
    log->EndMoveLocked();
    if (!deleted.ok()) return deleted;
    ForgetWaiting(log->waiting.All().size(), log.get());
  }
  absl::MutexLock lock(&mutex_);
  logs_.erase(run);
  return absl::OkStatus();
}

// Of a run that has ended nothing waits as a rule.
absl::Status JournaledStore::DeleteRuns(absl::Span<const std::string> runs) {
  std::vector<std::string> idle;
  for (const std::string& run : runs) {
    if (!Find(run)) {
      idle.push_back(run);
      continue;
    }
    const absl::Status deleted = DeleteRun(run);
    if (!deleted.ok() && !absl::IsNotFound(deleted)) return deleted;
  }
  return store_->DeleteRuns(idle);
}

// Here and below, what waits is looked at first: what is no longer there by then, the database has.
absl::StatusOr<LogExtent> JournaledStore::GetExtent(const std::string& run) {
  std::vector<Batch> waiting;
  if (const auto log = Find(run)) waiting = log->waiting.All();
  absl::StatusOr<LogExtent> extent = store_->GetExtent(run);
  if (!extent.ok()) return extent;
  for (const Batch& batch : waiting) {
    if (batch.first <= extent->last) continue;  // moved meanwhile
    if (extent->last == 0) extent->first = batch.first;
    extent->last = batch.last;
    extent->bytes += static_cast<int64_t>(batch.bytes->size());
    extent->last_time_unix_nanos = batch.last_time_unix_nanos;
    extent->total_lines = batch.total_lines;
    extent->total_bytes = batch.total_bytes;
  }
  return extent;
}

absl::StatusOr<Batch> JournaledStore::Read(const std::string& run, int64_t sequence) {
  return ReadBatch(run, sequence, /*once=*/false);
}

absl::StatusOr<Batch> JournaledStore::ReadOnce(const std::string& run, int64_t sequence) {
  return ReadBatch(run, sequence, /*once=*/true);
}

absl::StatusOr<Batch> JournaledStore::ReadBatch(const std::string& run, int64_t sequence,
                                                bool once) {
  std::optional<Batch> waiting;
  if (const auto log = Find(run)) waiting = log->waiting.FindSequence(sequence);
  if (waiting && waiting->first <= sequence) return *std::move(waiting);
  absl::StatusOr<Batch> batch =
      once ? store_->ReadOnce(run, sequence) : store_->Read(run, sequence);
  if (waiting && absl::IsNotFound(batch.status())) return *std::move(waiting);
  return batch;
}

// What waits for the database is not compressed.
std::optional<LogStore::CompressedBatch> JournaledStore::ReadCompressed(const std::string& run,
                                                                        int64_t sequence) {
  return store_->ReadCompressed(run, sequence);
}

absl::StatusOr<Batch> JournaledStore::FindTime(const std::string& run, int64_t unix_nanos) {
  std::optional<Batch> waiting;
  if (const auto log = Find(run)) waiting = log->waiting.FindTime(unix_nanos);
  absl::StatusOr<Batch> batch = store_->FindTime(run, unix_nanos);
  if (waiting && absl::IsNotFound(batch.status())) return *std::move(waiting);
  return batch;
}

absl::StatusOr<int64_t> JournaledStore::FindBytes(const std::string& run, int64_t bytes) {
  MoveOne(run).IgnoreError();
  return store_->FindBytes(run, bytes);
}

absl::Status JournaledStore::Trim(const std::string& run, int64_t first) {
  MoveOne(run).IgnoreError();
  return store_->Trim(run, first);
}

}  // namespace jobtail
