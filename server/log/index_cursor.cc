#include "server/log/index_cursor.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "server/log/record.h"
#include "server/log/rocksdb_options.h"
#include "server/log/stored_value.h"

namespace jobtail {
namespace {

// The entry that a batch with this value would have.
std::optional<IndexEntry> EntryOf(std::string_view key, std::string_view value) {
  std::optional<IndexEntry> entry = DecodeKey(key);
  if (!entry) return std::nullopt;
  absl::StatusOr<SharedBytes> decompressed = nullptr;
  if (!IsPlain(value)) decompressed = Decompress(value);
  if (!decompressed.ok()) return std::nullopt;
  const std::string_view batch = IsPlain(value) ? PlainBytes(value) : **decompressed;
  RecordWalker walker(batch);
  std::string_view last;
  while (walker.Next()) last = walker.payload();
  entry->last = std::max(entry->first, SequenceOf(last));
  entry->last_time_unix_nanos = TimeOf(last);
  entry->size = static_cast<int64_t>(batch.size());
  return entry;
}

// Says once what is damaged: every reader of the log will come across it.
void Report(const absl::Status& damage) {
  static auto* const mutex = new absl::Mutex;
  static auto* const reported = new std::set<std::string>;
  const std::string message(damage.message());
  {
    absl::MutexLock lock(mutex);
    if (!reported->insert(message).second) return;
  }
  spdlog::error("{}; its log is read without", message);
}

}  // namespace

IndexCursor::IndexCursor(rocksdb::DB* db, LogFamilies families, std::string_view run_key)
    : db_(db),
      families_(families),
      run_key_(run_key),
      begin_(BatchKey(run_key, 0)),
      end_(EndKey(run_key)),
      lower_bound_(begin_),
      upper_bound_(end_),
      iterator_(Iterate(families.index)) {}

IndexCursor::Iterator IndexCursor::Iterate(rocksdb::ColumnFamilyHandle* family) {
  rocksdb::ReadOptions options;
  options.iterate_lower_bound = &lower_bound_;
  options.iterate_upper_bound = &upper_bound_;
  return Iterator(db_->NewIterator(options, family));
}

absl::StatusOr<IndexEntry> IndexCursor::Move(absl::FunctionRef<void(rocksdb::Iterator&)> seek) {
  seek(*iterator_);
  absl::StatusOr<IndexEntry> entry = Current();
  if (!has_index_ || !absl::IsDataLoss(entry.status())) return entry;
  Report(entry.status());
  has_index_ = false;
  iterator_ = Iterate(families_.batches);
  seek(*iterator_);
  return Current();
}

absl::StatusOr<IndexEntry> IndexCursor::Current() const {
  const std::string what = absl::StrCat("index of run ", RunOfKey(run_key_));
  if (!iterator_->Valid()) {
    if (iterator_->status().ok())
      return absl::NotFoundError(absl::StrCat(what, ": no such record"));
    return ToStatus(iterator_->status(), what);
  }
  const rocksdb::Slice key = iterator_->key();
  const rocksdb::Slice value = iterator_->value();
  const auto make = has_index_ ? DecodeIndexEntry : EntryOf;
  const auto entry = make({key.data(), key.size()}, {value.data(), value.size()});
  if (entry) return *entry;
  return absl::DataLossError(absl::StrCat(what, ": an entry of unknown form"));
}

absl::StatusOr<IndexEntry> IndexCursor::Oldest() {
  return Move([](rocksdb::Iterator& it) { it.SeekToFirst(); });
}

absl::StatusOr<IndexEntry> IndexCursor::Newest() {
  return Move([](rocksdb::Iterator& it) { it.SeekToLast(); });
}

absl::StatusOr<IndexEntry> IndexCursor::After(const IndexEntry& entry) {
  const std::string key = BatchKey(run_key_, entry.first + 1);
  return Move([&](rocksdb::Iterator& it) { it.Seek(key); });
}

absl::StatusOr<IndexEntry> IndexCursor::AtOrBefore(int64_t sequence) {
  const std::string key = BatchKey(run_key_, std::max<int64_t>(sequence, 0));
  return Move([&](rocksdb::Iterator& it) { it.SeekForPrev(key); });
}

absl::StatusOr<IndexEntry> IndexCursor::At(int64_t sequence) {
  auto before = AtOrBefore(sequence);
  if (before.ok()) return before->last >= sequence ? before : After(*before);
  return absl::IsNotFound(before.status()) ? Oldest() : before;
}

}  // namespace jobtail
