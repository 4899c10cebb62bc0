// Loads, stores and deletes what is known of runs.
#include "server/store/rocksdb_run_list.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/store/rocksdb_tuning.h"
#include "server/store/store_keys.h"

namespace jobtail {
namespace {

using storage::v1::StoredRun;

bool Has(const Database& database, const std::string& run_key) {
  rocksdb::PinnableSlice value;
  return !database.rocks()->Get({}, database.runs(), run_key, &value).IsNotFound();
}

// Some runs, as they come one after the other.
struct Page {
  // So much of them is in memory at a time.
  static constexpr size_t kBytes = 1 << 20;

  std::vector<StoredRun> runs;
  std::string last_key;  // of the last that was looked at; the next page comes after it
  size_t bytes = 0;
  bool is_last = true;

  // Whether there is room for one more.
  bool HasRoom() {
    is_last = bytes < kBytes;
    return is_last;
  }
};

// All runs are read once, at the start: what was in the cache before, if anything, is of more use.
rocksdb::ReadOptions WithoutCaching() {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  return options;
}

void SeekAfter(const std::string& key, rocksdb::Iterator* it) {
  key.empty() ? it->SeekToFirst() : it->Seek(EndKey(key));
}

// The runs whose keys come after `after`.
rocksdb::Status ReadPage(const Database& database, const std::string& after, Page* page) {
  page->last_key = after;
  const std::unique_ptr<rocksdb::Iterator> it(
      database.rocks()->NewIterator(WithoutCaching(), database.runs()));
  for (SeekAfter(after, it.get()); it->Valid() && page->HasRoom(); it->Next()) {
    StoredRun run;
    page->last_key = it->key().ToString();
    page->bytes += it->value().size();
    if (run.ParseFromArray(it->value().data(), static_cast<int>(it->value().size()))) {
      page->runs.push_back(std::move(run));
    } else {
      spdlog::error("run {}: what is known of it cannot be read",
                    RunOfKey(it->key().ToStringView()));
    }
  }
  return it->status();
}

// The same of runs with a log, from one log to the next. A run of which nothing else is known has
// at least its id, and whatever its log tells of its end.
void ReadPageByLogs(const Database& database, const std::string& after, Page* page) {
  rocksdb::DB* const rocks = database.rocks();
  page->last_key = after;
  const std::unique_ptr<rocksdb::Iterator> it(
      rocks->NewIterator(WithoutCaching(), database.index()));
  SeekAfter(after, it.get());
  while (it->Valid() && page->HasRoom()) {
    page->last_key = it->key().ToStringView().substr(0, kRunKeyBytes);
    std::string value;
    StoredRun& run = page->runs.emplace_back();
    const rocksdb::Status found =
        rocks->Get(WithoutCaching(), database.runs(), page->last_key, &value);
    page->bytes += value.size() + kRunKeyBytes;
    if (!found.ok() || !run.ParseFromString(value)) {
      run.Clear();
      run.mutable_run()->set_id(RunOfKey(page->last_key));
      run.mutable_run()->set_state(v1::RUN_STATE_RUNNING);
      spdlog::error("run {}: what is known of it, but for its log, is lost", run.run().id());
    }
    it->Seek(EndKey(page->last_key));
  }
}

}  // namespace

absl::Status RunList::Put(const StoredRun& run) {
  const auto key = RunKey(run.run().id());
  if (!key.ok()) return key.status();
  const auto database = database_->Use();
  if (!database.ok()) return database.status();
  if (absl::Status room = gate_->CheckRoom(); !room.ok() && !Has(*database->get(), *key))
    return room;
  rocksdb::WriteBatch batch;
  batch.Put((*database)->runs(), *key, run.SerializeAsString());
  return gate_->Write(database->get(), &batch, /*sync=*/false);
}

absl::StatusOr<StoredRun> RunList::Get(const std::string& run) const {
  const auto key = RunKey(run);
  if (!key.ok()) return key.status();
  const auto database = database_->Use();
  if (!database.ok()) return database.status();
  rocksdb::PinnableSlice value;
  const rocksdb::Status found = (*database)->rocks()->Get({}, (*database)->runs(), *key, &value);
  if (found.IsNotFound()) return absl::NotFoundError(absl::StrCat("no run ", run));
  if (!found.ok()) return ToStatus(found, absl::StrCat("run ", run));
  StoredRun stored;
  if (stored.ParseFromArray(value.data(), static_cast<int>(value.size()))) return stored;
  return absl::DataLossError(absl::StrCat("run ", run, ": what is known of it cannot be read"));
}

absl::Status RunList::ForEach(LogStore::UseRun use) const {
  std::string after;
  bool by_logs = false;
  while (true) {
    Page page;
    {
      const auto database = database_->Use();
      if (!database.ok()) return database.status();
      const absl::Status read =
          by_logs ? absl::OkStatus()
                  : ToStatus(ReadPage(*database->get(), after, &page), "the list of runs");
      if (!read.ok() && !absl::IsDataLoss(read)) return read;
      if (by_logs) ReadPageByLogs(*database->get(), after, &page);
      if (!read.ok()) {
        spdlog::error("{}: {}; runs are found by their logs instead", database_->Name(),
                      read.ToString());
        by_logs = true;
        page.is_last = false;
      }
    }
    for (StoredRun& run : page.runs) use(std::move(run));
    if (page.is_last) return absl::OkStatus();
    after = std::move(page.last_key);
  }
}

}  // namespace jobtail
