// Drops and rewrites the files that deleted batches lie in.
#include "server/log/rocksdb_reclaimer.h"

#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/time/time.h"

namespace jobtail {
namespace {

constexpr absl::Duration kDelay = absl::Minutes(1);

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

Reclaimer::Reclaimer(const ReopenableDatabase* database, int64_t reclaim_bytes)
    : database_(database), reclaim_bytes_(reclaim_bytes), thread_("store-reclaim") {}

Reclaimer::~Reclaimer() {
  database_->StopBackgroundWork();
  thread_.Stop();
}

void Reclaimer::Add(Range range, int64_t bytes) {
  absl::MutexLock lock(&mutex_);
  const bool first = deleted_.empty();
  deleted_.push_back(std::move(range));
  deleted_bytes_ += bytes;
  if (deleted_bytes_ >= reclaim_bytes_) {
    thread_.Soon([this] { Reclaim(); });
  } else if (first) {
    thread_.After(kDelay, [this] { Reclaim(); });
  }
}

void Reclaimer::Reclaim() {
  const auto database = database_->Use();
  if (!database.ok()) {  // later, when it has been opened anew
    thread_.After(kDelay, [this] { Reclaim(); });
    return;
  }
  std::vector<Range> ranges;
  {
    absl::MutexLock lock(&mutex_);
    ranges.swap(deleted_);
    deleted_bytes_ = 0;
  }
  if (ranges.empty()) return;
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
  rocksdb::DB* const rocks = (*database)->rocks();
  for (rocksdb::ColumnFamilyHandle* family : {(*database)->batches(), (*database)->index()}) {
    rocksdb::Status done = DropFiles(rocks, family, pointers);
    if (done.ok()) done = rocks->CompactRange({}, family, &begin, &end);
    if (!done.ok() && !done.IsIncomplete() && !done.IsShutdownInProgress()) {
      spdlog::warn("{}: room that was deleted stays taken for now: {}", database_->Name(),
                   done.ToString());
    }
  }
}

}  // namespace jobtail
