// Loads, stores and deletes what is known of runs.
#include "server/log/rocksdb_run_list.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <string_view>
#include <utility>

#include "server/log/rocksdb_tuning.h"
#include "server/log/store_keys.h"

namespace jobtail {
namespace {

using storage::v1::StoredRun;

std::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

bool Has(const Database& database, const std::string& run_key) {
  rocksdb::PinnableSlice value;
  return !database.rocks()->Get({}, database.runs(), run_key, &value).IsNotFound();
}

// The runs with a log whose keys come after `after`, from one log to the next. A run of which
// nothing else is known has at least its id, and whatever its log tells of its end.
void LoadByLogs(const Database& database, const std::string& after, std::vector<StoredRun>* runs) {
  rocksdb::DB* const rocks = database.rocks();
  const std::unique_ptr<rocksdb::Iterator> it(rocks->NewIterator({}, database.index()));
  it->SeekToFirst();
  if (!after.empty()) it->Seek(EndKey(after));
  while (it->Valid()) {
    const std::string key(View(it->key()).substr(0, kRunKeyBytes));
    std::string value;
    StoredRun& run = runs->emplace_back();
    const rocksdb::Status found = rocks->Get({}, database.runs(), key, &value);
    if (!found.ok() || !run.ParseFromString(value)) {
      run.Clear();
      run.mutable_run()->set_id(RunOfKey(key));
      run.mutable_run()->set_state(v1::RUN_STATE_RUNNING);
      spdlog::error("run {}: what is known of it, but for its log, is lost", run.run().id());
    }
    it->Seek(EndKey(key));
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

absl::StatusOr<std::vector<StoredRun>> RunList::Load() const {
  const auto database = database_->Use();
  if (!database.ok()) return database.status();
  std::vector<StoredRun> runs;
  const std::unique_ptr<rocksdb::Iterator> it(
      (*database)->rocks()->NewIterator({}, (*database)->runs()));
  for (it->SeekToFirst(); it->Valid(); it->Next()) {
    StoredRun run;
    if (run.ParseFromArray(it->value().data(), static_cast<int>(it->value().size()))) {
      runs.push_back(std::move(run));
    } else {
      spdlog::error("run {}: what is known of it cannot be read", RunOfKey(View(it->key())));
    }
  }
  if (it->status().ok()) return runs;
  const absl::Status damage = ToStatus(it->status(), "the list of runs");
  if (!absl::IsDataLoss(damage)) return damage;
  spdlog::error("{}: {}; runs are found by their logs instead", database_->Name(),
                damage.ToString());
  LoadByLogs(*database->get(), runs.empty() ? "" : *RunKey(runs.back().run().id()), &runs);
  return runs;
}

}  // namespace jobtail
