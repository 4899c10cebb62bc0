// Writes batches and their index entries, and plans what is deleted.
#include "server/store/rocksdb_log_writer.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/store/index_cursor.h"
#include "server/store/rocksdb_tuning.h"
#include "server/store/stored_value.h"

namespace jobtail {
namespace {

// So many batches are deleted one by one. More are deleted as a range, which costs every reader a
// little for as long as it is remembered.
constexpr size_t kSingleDeletions = 256;

rocksdb::Slice ToRocks(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

absl::Status Misfit(const std::string& run, const Batch& batch, int64_t next) {
  return absl::FailedPreconditionError(absl::StrCat("run ", run, ": records ", batch.first, " to ",
                                                    batch.last, " where ", next, " is next"));
}

size_t RoomFor(absl::Span<const Batch> batches) {
  size_t bytes = 0;
  for (const Batch& batch : batches) bytes += batch.bytes->size() + 128;
  return bytes / 4;  // compressed
}

}  // namespace

// The end of the log, as the database has it.
absl::StatusOr<std::shared_ptr<RocksDbLogWriter::Head>> RocksDbLogWriter::ReadHead(
    const std::string& run, std::string_view run_key) const {
  const auto database = database_->Use();
  if (!database.ok()) return database.status();
  rocksdb::PinnableSlice value;
  const rocksdb::Status known =
      (*database)->rocks()->Get({}, (*database)->runs(), ToRocks(run_key), &value);
  if (known.IsNotFound()) return absl::NotFoundError(absl::StrCat("no run ", run));
  if (!known.ok()) return ToStatus(known, absl::StrCat("run ", run));
  auto head = std::make_shared<Head>();
  IndexCursor cursor(database->get(), run_key, damage_);
  absl::StatusOr<IndexEntry> newest = cursor.Newest();
  if (newest.ok()) {
    if (newest->is_rebuilt) newest->offset = cursor.CountOffset(*newest);
    absl::MutexLock lock(&head->mutex);
    head->newest = *newest;
  } else if (!absl::IsNotFound(newest.status())) {
    return newest.status();
  }
  return head;
}

// The end of the log for whoever continues it, from the database if that was not asked for it
// before. Of a run that may have been forgotten while it was read, nothing is remembered: it is
// read again.
absl::StatusOr<std::shared_ptr<RocksDbLogWriter::Head>> RocksDbLogWriter::FindHead(
    const std::string& run, std::string_view run_key) {
  while (true) {
    int64_t forgotten;
    {
      absl::MutexLock lock(&mutex_);
      if (const auto found = heads_.find(run); found != heads_.end()) return found->second;
      forgotten = forgotten_;
    }
    auto head = ReadHead(run, run_key);
    if (!head.ok()) return head.status();
    absl::MutexLock lock(&mutex_);
    if (forgotten_ == forgotten) return heads_.emplace(run, *std::move(head)).first->second;
  }
}

// Null unless the run's log is at work.
std::shared_ptr<RocksDbLogWriter::Head> RocksDbLogWriter::KnownHead(const std::string& run) {
  absl::MutexLock lock(&mutex_);
  const auto found = heads_.find(run);
  return found == heads_.end() ? nullptr : found->second;
}

void RocksDbLogWriter::ForgetHeads(absl::Span<const std::string> runs) {
  absl::MutexLock lock(&mutex_);
  for (const std::string& run : runs) heads_.erase(run);
  ++forgotten_;
}

absl::StatusOr<IndexEntry> RocksDbLogWriter::Newest(const std::string& run) {
  const auto key = RunKey(run);
  if (!key.ok()) return key.status();
  std::shared_ptr<Head> head = KnownHead(run);
  if (!head) {
    absl::StatusOr<std::shared_ptr<Head>> read = ReadHead(run, *key);
    if (!read.ok()) return read.status();
    head = *std::move(read);
  }
  return head->Newest();
}

void RocksDbLogWriter::Head::Appended(const absl::Status& written, const IndexEntry& end) {
  may_have_more = !written.ok();
  absl::MutexLock lock(&mutex);
  if (written.ok()) newest = end;
}

// Adds the batches to `write`; returns what is the end of the log once that is written.
absl::StatusOr<IndexEntry> RocksDbLogWriter::AddTo(const Database* database, const std::string& run,
                                                   std::string_view run_key,
                                                   absl::Span<const Batch> batches, Head* head,
                                                   rocksdb::WriteBatch* write) const {
  IndexEntry newest = head->Newest();
  int64_t last = newest.last;
  for (const Batch& batch : batches) {
    if (batch.first != last + 1 || batch.last < batch.first) return Misfit(run, batch, last + 1);
    last = batch.last;
  }
  if (head->may_have_more) {
    for (rocksdb::ColumnFamilyHandle* family : {database->batches(), database->index()}) {
      write->DeleteRange(family, BatchKey(run_key, newest.last + 1), EndKey(run_key));
    }
  }
  ValueEncoder encoder;
  for (const Batch& batch : batches) {
    newest = MakeIndexEntry(batch, newest.end());
    const std::string batch_key = BatchKey(run_key, batch.first);
    write->Put(database->batches(), batch_key, ToRocks(encoder.Encode(batch)));
    write->Put(database->index(), batch_key, EncodeIndexEntry(newest));
  }
  return newest;
}

absl::Status RocksDbLogWriter::Append(const std::string& run, absl::Span<const Batch> batches,
                                      bool sync, bool is_promised) {
  const auto key = RunKey(run);
  if (!key.ok()) return key.status();
  const auto head = FindHead(run, *key);
  if (!head.ok()) return head.status();
  absl::MutexLock lock(&(*head)->appending);
  const auto database = database_->Use();
  if (!database.ok()) return database.status();
  rocksdb::WriteBatch write(RoomFor(batches));
  const auto newest = AddTo(database->get(), run, *key, batches, &**head, &write);
  if (!newest.ok()) return newest.status();
  if (batches.empty()) return absl::OkStatus();
  if (absl::Status room = gate_->CheckRoom(); !is_promised && !room.ok()) return room;
  absl::Status written = gate_->Write(database->get(), &write, sync);
  (*head)->Appended(written, *newest);
  if (sync && written.ok()) ForgetHeads({run});  // most likely its end
  return written;
}

// Thread-safety analysis knows no list of locks.
void RocksDbLogWriter::AppendAll(absl::Span<Addition> additions) ABSL_NO_THREAD_SAFETY_ANALYSIS {
  struct Part {
    Addition* addition;
    std::shared_ptr<Head> head;
    IndexEntry newest;
  };
  std::vector<Part> parts;
  for (Addition& addition : additions) {
    const auto key = RunKey(addition.run);
    const auto head = key.ok() ? FindHead(addition.run, *key) : key.status();
    addition.result = head.status();
    if (head.ok() && !addition.batches.empty()) parts.push_back({&addition, *head, {}});
  }
  std::ranges::sort(parts, {}, [](const Part& part) { return part.addition->run; });
  for (const Part& part : parts) part.head->appending.Lock();
  rocksdb::WriteBatch write;
  const auto database = database_->Use();
  for (Part& part : parts) {
    Addition& addition = *part.addition;
    const auto newest = database.ok() ? AddTo(database->get(), addition.run, *RunKey(addition.run),
                                              addition.batches, part.head.get(), &write)
                                      : database.status();
    addition.result = newest.status();
    if (newest.ok()) part.newest = *newest;
  }
  gate_->CheckRoom().IgnoreError();  // what was promised is taken all the same
  absl::Status written;
  if (write.Count() > 0) written = gate_->Write(database->get(), &write, /*sync=*/false);
  for (const Part& part : parts) {
    if (part.addition->result.ok()) {
      part.addition->result = written;
      part.head->Appended(written, part.newest);
    }
    part.head->appending.Unlock();
  }
}

// What is to be deleted of a log: batch by batch, or as a range.
RocksDbLogWriter::Deletion RocksDbLogWriter::PlanDeletion(const Database* database,
                                                          std::string_view run_key,
                                                          int64_t before) const {
  Deletion plan{{BatchKey(run_key, 0), BatchKey(run_key, before)}, {}, 0};
  IndexCursor cursor(database, run_key, damage_);
  auto entry = cursor.Oldest();
  const int64_t begin_offset = entry.ok() ? entry->offset : 0;
  for (; entry.ok() && entry->first < before && plan.keys.size() < kSingleDeletions;
       entry = cursor.After(*entry)) {
    plan.keys.push_back(BatchKey(run_key, entry->first));
    plan.bytes += entry->size;
  }
  // An index that passes batches over does not know all keys.
  const bool all_seen = entry.ok() || absl::IsNotFound(entry.status());
  if (all_seen && cursor.trusts_index() && plan.keys.size() < kSingleDeletions) return plan;
  plan.keys.clear();
  const auto last = before == INT64_MAX ? cursor.Newest() : cursor.AtOrBefore(before - 1);
  if (last.ok()) plan.bytes = std::max(plan.bytes, last->end() - begin_offset);
  plan.as_range = true;
  return plan;
}

// Adds what is planned to `write`, and writes it.
absl::Status RocksDbLogWriter::Delete(const Database* database, std::vector<Deletion> plans,
                                      rocksdb::WriteBatch* write) {
  for (const Deletion& plan : plans) {
    for (rocksdb::ColumnFamilyHandle* family : {database->batches(), database->index()}) {
      if (plan.as_range) write->DeleteRange(family, plan.range.begin, plan.range.end);
      for (const std::string& key : plan.keys) write->Delete(family, key);
    }
  }
  if (absl::Status written = gate_->Write(database, write, /*sync=*/false); !written.ok())
    return written;
  for (Deletion& plan : plans) reclaimer_->Add(std::move(plan.range), plan.bytes);
  return absl::OkStatus();
}

absl::Status RocksDbLogWriter::Trim(const std::string& run, int64_t first) {
  const auto key = RunKey(run);
  if (!key.ok()) return key.status();
  const auto database = database_->Use();
  if (!database.ok()) return database.status();
  rocksdb::WriteBatch write;
  return Delete(database->get(), {PlanDeletion(database->get(), *key, first)}, &write);
}

absl::Status RocksDbLogWriter::DeleteRun(const std::string& run) {
  const auto key = RunKey(run);
  if (!key.ok()) return key.status();
  {
    const auto database = database_->Use();
    if (!database.ok()) return database.status();
    rocksdb::PinnableSlice value;
    const rocksdb::Status known = (*database)->rocks()->Get({}, (*database)->runs(), *key, &value);
    if (known.IsNotFound()) return absl::NotFoundError(absl::StrCat("no run ", run));
    if (!known.ok()) return ToStatus(known, absl::StrCat("run ", run));
  }
  return DeleteRuns({run});
}

absl::Status RocksDbLogWriter::DeleteRuns(absl::Span<const std::string> runs) {
  if (runs.empty()) return absl::OkStatus();
  {
    const auto database = database_->Use();
    if (!database.ok()) return database.status();
    rocksdb::WriteBatch write;
    std::vector<Deletion> plans;
    for (const std::string& run : runs) {
      const auto key = RunKey(run);
      if (!key.ok()) return key.status();
      write.Delete((*database)->runs(), *key);
      plans.push_back(PlanDeletion(database->get(), *key, INT64_MAX));
    }
    absl::Status deleted = Delete(database->get(), std::move(plans), &write);
    if (!deleted.ok()) return deleted;
  }
  ForgetHeads(runs);
  return absl::OkStatus();
}

}  // namespace jobtail
