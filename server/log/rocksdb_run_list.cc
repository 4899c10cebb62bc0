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

}  // namespace

bool RunList::Has(const std::string& run_key) const {
  rocksdb::PinnableSlice value;
  return !database_->rocks()->Get({}, database_->runs(), run_key, &value).IsNotFound();
}

absl::Status RunList::Put(const StoredRun& run) {
  const auto key = RunKey(run.run().id());
  if (!key.ok()) return key.status();
  if (absl::Status room = gate_->CheckRoom(); !room.ok() && !Has(*key)) return room;
  rocksdb::WriteBatch batch;
  batch.Put(database_->runs(), *key, run.SerializeAsString());
  return gate_->Write(&batch, /*sync=*/false);
}

absl::StatusOr<std::vector<StoredRun>> RunList::Load() const {
  std::vector<StoredRun> runs;
  const std::unique_ptr<rocksdb::Iterator> it(
      database_->rocks()->NewIterator({}, database_->runs()));
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
  LoadByLogs(runs.empty() ? "" : *RunKey(runs.back().run().id()), &runs);
  return runs;
}

// The runs with a log whose keys come after `after`, from one log to the next. A run of which
// nothing else is known has at least its id, and whatever its log tells of its end.
void RunList::LoadByLogs(const std::string& after, std::vector<StoredRun>* runs) const {
  rocksdb::DB* const rocks = database_->rocks();
  const std::unique_ptr<rocksdb::Iterator> it(rocks->NewIterator({}, database_->index()));
  it->SeekToFirst();
  if (!after.empty()) it->Seek(EndKey(after));
  while (it->Valid()) {
    const std::string key(View(it->key()).substr(0, kRunKeyBytes));
    std::string value;
    StoredRun& run = runs->emplace_back();
    const rocksdb::Status found = rocks->Get({}, database_->runs(), key, &value);
    if (!found.ok() || !run.ParseFromString(value)) {
      run.Clear();
      run.mutable_run()->set_id(RunOfKey(key));
      run.mutable_run()->set_state(v1::RUN_STATE_RUNNING);
      spdlog::error("run {}: what is known of it, but for its log, is lost", run.run().id());
    }
    it->Seek(EndKey(key));
  }
}

}  // namespace jobtail
