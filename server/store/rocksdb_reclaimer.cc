// Drops and rewrites the files that deleted batches lie in.
#include "server/store/rocksdb_reclaimer.h"

#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "server/store/rocksdb_tuning.h"

namespace jobtail {
namespace {

// RocksDB looks at so many ranges at a time while writers wait for it.
constexpr size_t kRangesAtOnce = 256;

rocksdb::Status DropFiles(rocksdb::DB* rocks, rocksdb::ColumnFamilyHandle* family,
                          const std::vector<rocksdb::RangePtr>& ranges) {
  for (size_t first = 0; first < ranges.size(); first += kRangesAtOnce) {
    rocksdb::Status dropped = rocksdb::DeleteFilesInRanges(
        rocks, family, &ranges[first], std::min(kRangesAtOnce, ranges.size() - first),
        /*include_end=*/false);
    if (!dropped.ok()) return dropped;
  }
  return rocksdb::Status::OK();
}

}  // namespace

Reclaimer::Reclaimer(const ReopenableDatabase* database, int64_t bytes, absl::Duration delay)
    : database_(database), enough_bytes_(bytes), delay_(delay), thread_("store-reclaim") {}

Reclaimer::~Reclaimer() {
  database_->StopBackgroundWork();
  thread_.Stop();
}

void Reclaimer::Add(Range range, int64_t bytes) {
  absl::MutexLock lock(&mutex_);
  const bool first = deleted_.empty();
  deleted_.push_back(std::move(range));
  deleted_bytes_ += bytes;
  if (deleted_bytes_ >= enough_bytes_) {
    thread_.Soon([this] { Reclaim(); });
  } else if (first) {
    thread_.After(delay_, [this] { Reclaim(); });
  }
}

void Reclaimer::Reclaim() {
  std::vector<Range> ranges;
  {
    absl::MutexLock lock(&mutex_);
    ranges.swap(deleted_);
    deleted_bytes_ = 0;
  }
  if (ranges.empty()) return;
  const auto database = database_->Use();
  const absl::Status done = database.ok() ? Reclaim(database->get(), ranges) : database.status();
  if (done.ok() || absl::IsCancelled(done)) return;
  spdlog::warn("{}: room that was deleted stays taken for now: {}", database_->Name(),
               done.ToString());
  // What lies behind damage comes back when RocksDB can write those files anew, if ever; it would
  // come to more and more.
  if (absl::IsDataLoss(done)) return;
  absl::MutexLock lock(&mutex_);
  deleted_.insert(deleted_.end(), std::make_move_iterator(ranges.begin()),
                  std::make_move_iterator(ranges.end()));
  thread_.After(delay_, [this] { Reclaim(); });
}

absl::Status Reclaimer::Reclaim(const Database* database, const std::vector<Range>& ranges) const {
  std::vector<rocksdb::Slice> ends;
  std::vector<rocksdb::RangePtr> pointers;
  ends.reserve(2 * ranges.size());
  for (const Range& range : ranges) {
    const rocksdb::Slice* first = &ends.emplace_back(range.begin);
    pointers.emplace_back(first, &ends.emplace_back(range.end));
  }
  const auto by_key = [](const rocksdb::Slice& a, const rocksdb::Slice& b) {
    return a.compare(b) < 0;
  };
  const rocksdb::Slice begin = *std::ranges::min_element(ends, by_key);
  const rocksdb::Slice end = *std::ranges::max_element(ends, by_key);
  rocksdb::DB* const rocks = database->rocks();
  absl::Status damaged;
  for (rocksdb::ColumnFamilyHandle* family : {database->batches(), database->index()}) {
    // Compacting begins with another write-ahead log. Where beginning one has failed, RocksDB 7.8
    // ends the process that tries again: with the first error it has to be opened anew.
    if (absl::Status error = database->BackgroundError(); !error.ok()) return error;
    rocksdb::Status done = DropFiles(rocks, family, pointers);
    if (done.ok()) done = rocks->CompactRange({}, family, &begin, &end);
    if (done.IsIncomplete() || done.IsShutdownInProgress()) return absl::CancelledError();
    const absl::Status status = ToStatus(done, database_->Name());
    if (!status.ok() && !absl::IsDataLoss(status)) return status;
    damaged.Update(status);
  }
  return damaged;
}

}  // namespace jobtail
