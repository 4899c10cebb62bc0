// Looks batches up in the index and, where that is damaged, among the batches.
#include "server/store/index_cursor.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "server/log/record.h"
#include "server/store/record_range.h"
#include "server/store/rocksdb_tuning.h"
#include "server/store/stored_value.h"

namespace jobtail {
namespace {

// The entry that a batch with this key and value would have.
absl::StatusOr<IndexEntry> Rebuild(std::string_view key, std::string_view value) {
  const std::optional<int64_t> first = DecodeBatchKey(key);
  if (!first) return absl::DataLossError(absl::StrCat("a key of ", key.size(), " bytes"));
  std::optional<std::string_view> batch = PlainBytes(value);
  SharedBytes decompressed;
  if (!batch) {
    absl::StatusOr<SharedBytes> bytes = Decompress(value);
    if (!bytes.ok()) return bytes.status();
    decompressed = *std::move(bytes);
    batch = *decompressed;
  }
  const std::optional<LastRecord> last = FindLastRecord(*batch, *first);
  if (!last) return absl::DataLossError("something that is no batch");
  IndexEntry entry;
  entry.first = *first;
  entry.last = last->sequence;
  entry.last_time_unix_nanos = TimeOf(last->payload);
  entry.size = static_cast<int64_t>(batch->size());
  entry.is_rebuilt = true;
  return entry;
}

}  // namespace

IndexCursor::IndexCursor(const Database* database, std::string_view run_key, DamageReports* damage)
    : database_(database),
      damage_(damage),
      run_key_(run_key),
      begin_(BatchKey(run_key, 0)),
      end_(EndKey(run_key)),
      lower_bound_(begin_),
      upper_bound_(end_),
      iterator_(Iterate(database->index())) {}

IndexCursor::Iterator IndexCursor::Iterate(rocksdb::ColumnFamilyHandle* family) const {
  rocksdb::ReadOptions options;
  options.iterate_lower_bound = &lower_bound_;
  options.iterate_upper_bound = &upper_bound_;
  return Iterator(database_->rocks()->NewIterator(options, family));
}

absl::StatusOr<IndexEntry> IndexCursor::Move(absl::FunctionRef<void(rocksdb::Iterator&)> seek,
                                             Step onward) {
  seek(*iterator_);
  absl::StatusOr<IndexEntry> entry = Current();
  if (trusts_index_ && absl::IsDataLoss(entry.status())) {
    damage_->Report(absl::StrCat("index of run ", RunOfKey(run_key_), ": ",
                                 entry.status().message(), "; its log is read without"));
    trusts_index_ = false;
    iterator_ = Iterate(database_->batches());
    seek(*iterator_);
    entry = Current();
  }
  while (iterator_->Valid() && absl::IsDataLoss(entry.status())) {
    damage_->Report(absl::StrCat("run ", RunOfKey(run_key_), ": a batch is left out that is ",
                                 entry.status().message()));
    (*iterator_.*onward)();
    entry = Current();
  }
  return entry;
}

absl::StatusOr<IndexEntry> IndexCursor::Current() const {
  if (!iterator_->Valid()) {
    const std::string what = absl::StrCat("run ", RunOfKey(run_key_));
    if (iterator_->status().ok()) return absl::NotFoundError(what + ": no such record");
    return ToStatus(iterator_->status(), what);
  }
  const std::string_view key = iterator_->key().ToStringView();
  const std::string_view value = iterator_->value().ToStringView();
  return trusts_index_ ? FromIndex(key, value) : Rebuild(key, value);
}

// Numbers for which the batch is too small are those of a gap in it, or wrong.
absl::StatusOr<IndexEntry> IndexCursor::FromIndex(std::string_view key,
                                                  std::string_view value) const {
  absl::StatusOr<IndexEntry> entry = DecodeIndexEntry(key, value);
  if (!entry.ok() || FitIn(entry->size, entry->first, entry->last)) return entry;
  rocksdb::PinnableSlice batch;
  const rocksdb::Status read =
      database_->rocks()->Get({}, database_->batches(), iterator_->key(), &batch);
  if (read.IsNotFound()) return entry;  // just deleted
  if (!read.ok()) return ToStatus(read, "a batch");
  const absl::StatusOr<IndexEntry> rebuilt = Rebuild(key, batch.ToStringView());
  if (rebuilt.ok() && rebuilt->last == entry->last) return entry;
  return absl::DataLossError(absl::StrCat("records ", entry->first, " to ", entry->last,
                                          " in a batch that does not have them"));
}

absl::StatusOr<IndexEntry> IndexCursor::Oldest() {
  return Move([](rocksdb::Iterator& it) { it.SeekToFirst(); }, &rocksdb::Iterator::Next);
}

absl::StatusOr<IndexEntry> IndexCursor::Newest() {
  return Move([](rocksdb::Iterator& it) { it.SeekToLast(); }, &rocksdb::Iterator::Prev);
}

absl::StatusOr<IndexEntry> IndexCursor::After(const IndexEntry& entry) {
  const std::string key = BatchKey(run_key_, entry.first + 1);
  return Move([&](rocksdb::Iterator& it) { it.Seek(key); }, &rocksdb::Iterator::Next);
}

absl::StatusOr<IndexEntry> IndexCursor::Before(const IndexEntry& entry) {
  return AtOrBefore(entry.first - 1);
}

absl::StatusOr<IndexEntry> IndexCursor::AtOrBefore(int64_t sequence) {
  const std::string key = BatchKey(run_key_, std::max<int64_t>(sequence, 0));
  return Move([&](rocksdb::Iterator& it) { it.SeekForPrev(key); }, &rocksdb::Iterator::Prev);
}

absl::StatusOr<IndexEntry> IndexCursor::At(int64_t sequence) {
  auto before = AtOrBefore(sequence);
  if (before.ok()) return before->last >= sequence ? before : After(*before);
  return absl::IsNotFound(before.status()) ? Oldest() : before;
}

int64_t IndexCursor::CountOffset(const IndexEntry& rebuilt) {
  int64_t bytes = 0;
  for (auto before = Before(rebuilt); before.ok(); before = Before(*before)) {
    bytes += before->size;
    rocksdb::PinnableSlice value;
    const std::string key = BatchKey(run_key_, before->first);
    if (!database_->rocks()->Get({}, database_->index(), key, &value).ok()) continue;
    const absl::StatusOr<IndexEntry> known = DecodeIndexEntry(key, value.ToStringView());
    if (known.ok() && known->last == before->last && known->size == before->size) {
      return known->offset + bytes;
    }
  }
  return bytes;
}

}  // namespace jobtail
