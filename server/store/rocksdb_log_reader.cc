// Finds, reads and decodes batches.
#include "server/store/rocksdb_log_reader.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/store/record_range.h"
#include "server/store/rocksdb_tuning.h"
#include "server/store/stored_value.h"

namespace jobtail {
namespace {

// What RocksDB returned, and the cache that it may lie in.
struct CachedValue {
  std::shared_ptr<rocksdb::Cache> cache;
  rocksdb::PinnableSlice value;
};

absl::StatusOr<SharedBytes> Decode(CachedValue cached) {
  if (!PlainBytes(cached.value.ToStringView())) return Decompress(cached.value.ToStringView());
  return Share(std::move(cached),
               [](const CachedValue& owner) { return *PlainBytes(owner.value.ToStringView()); });
}

absl::StatusOr<Batch> ReadAt(const Database* database, std::string_view run_key,
                             const IndexEntry& entry, bool once) {
  CachedValue cached{database->cache(), {}};
  rocksdb::ReadOptions options;
  options.fill_cache = !once;
  const rocksdb::Status read = database->rocks()->Get(
      options, database->batches(), BatchKey(run_key, entry.first), &cached.value);
  if (!read.ok()) return ToStatus(read, "reading");
  absl::StatusOr<SharedBytes> bytes = Decode(std::move(cached));
  if (!bytes.ok()) return bytes.status();
  if (std::cmp_not_equal((*bytes)->size(), entry.size)) {
    return absl::DataLossError(
        absl::StrCat("a batch of ", (*bytes)->size(), " bytes in place of ", entry.size));
  }
  return Batch{entry.first,       entry.last,        entry.last_time_unix_nanos,
               entry.total_lines, entry.total_bytes, *std::move(bytes)};
}

// What the index says of the batch that begins with the record, if it has one and can be believed:
// where most readers go on, and found without a search.
std::optional<IndexEntry> EntryFrom(const Database* database, std::string_view run_key,
                                    int64_t sequence) {
  const std::string key = BatchKey(run_key, sequence);
  rocksdb::PinnableSlice value;
  if (!database->rocks()->Get({}, database->index(), key, &value).ok()) return std::nullopt;
  const absl::StatusOr<IndexEntry> entry = DecodeIndexEntry(key, value.ToStringView());
  if (!entry.ok() || !FitIn(entry->size, entry->first, entry->last)) return std::nullopt;
  return *entry;
}

std::optional<Batch> ReadFrom(const Database* database, std::string_view run_key, int64_t sequence,
                              bool once) {
  const std::optional<IndexEntry> entry = EntryFrom(database, run_key, sequence);
  if (!entry) return std::nullopt;
  absl::StatusOr<Batch> batch = ReadAt(database, run_key, *entry, once);
  if (!batch.ok()) return std::nullopt;
  return *std::move(batch);
}

// Whether the batch has gone since the index was looked at.
bool IsDeleted(const Database* database, std::string_view run_key, const IndexEntry& entry) {
  rocksdb::PinnableSlice value;
  return database->rocks()
      ->Get({}, database->index(), BatchKey(run_key, entry.first), &value)
      .IsNotFound();
}

// Whether what the index says of the log's end fits together, so that it can be counted back from.
bool EndIsSound(IndexCursor* cursor, const IndexEntry& newest) {
  const auto before = cursor->Before(newest);
  if (absl::IsNotFound(before.status())) return true;
  return before.ok() && cursor->trusts_index() && before->end() == newest.offset;
}

// Where the last `bytes` begin, by the sizes of the batches, one after the other from the end.
absl::StatusOr<int64_t> CountBack(IndexCursor* cursor, const IndexEntry& newest, int64_t bytes) {
  IndexEntry first = newest;
  for (int64_t left = bytes - newest.size;;) {
    const auto before = cursor->Before(first);
    if (absl::IsNotFound(before.status())) return first.first;
    if (!before.ok()) return before.status();
    left -= before->size;
    if (left < 0) return first.first;
    first = *before;
  }
}

}  // namespace

absl::StatusOr<Batch> RocksDbLogReader::Read(std::string_view run_key, int64_t sequence,
                                             bool once) const {
  const auto database = database_->Use();
  if (!database.ok()) return database.status();
  return ReadIn(database->get(), run_key, sequence, once);
}

std::optional<LogStore::CompressedBatch> RocksDbLogReader::ReadCompressed(std::string_view run_key,
                                                                          int64_t sequence) const {
  const auto database = database_->Use();
  if (!database.ok()) return std::nullopt;
  const std::optional<IndexEntry> entry = EntryFrom(database->get(), run_key, sequence);
  if (!entry) return std::nullopt;
  CachedValue cached{(*database)->cache(), {}};
  const rocksdb::Status read = (*database)->rocks()->Get(
      {}, (*database)->batches(), BatchKey(run_key, sequence), &cached.value);
  if (!read.ok()) return std::nullopt;
  const auto compressed = CompressedBytesOf(cached.value.ToStringView());
  if (!compressed || std::cmp_not_equal(compressed->size, entry->size)) return std::nullopt;
  SharedBytes block = Share(std::move(cached), [](const CachedValue& owner) {
    return CompressedBytesOf(owner.value.ToStringView())->block;
  });
  return LogStore::CompressedBatch{entry->last, std::move(block), compressed->size};
}

absl::StatusOr<Batch> RocksDbLogReader::ReadIn(const Database* database, std::string_view run_key,
                                               int64_t sequence, bool once) const {
  if (auto batch = ReadFrom(database, run_key, sequence, once)) return *std::move(batch);
  IndexCursor cursor(database, run_key, damage_);
  std::optional<int64_t> damaged_first;
  int64_t damaged_last = 0;
  absl::Status damage;
  auto entry = cursor.At(sequence);
  absl::StatusOr<Batch> batch = absl::NotFoundError("no such record");
  for (; entry.ok(); entry = cursor.After(*entry)) {
    batch = ReadAt(database, run_key, *entry, once);
    if (!absl::IsDataLoss(batch.status()) && !absl::IsNotFound(batch.status())) break;
    if (IsDeleted(database, run_key, *entry)) continue;
    if (!damaged_first) damaged_first = entry->first;
    damaged_last = entry->last;
    damage = batch.status();
  }
  if (damaged_first) {
    damage_->Report(absl::StrCat("run ", RunOfKey(run_key), ": records ", *damaged_first, " to ",
                                 damaged_last, " cannot be read, and their place is taken by a ",
                                 "gap: ", damage.message()));
  }
  if (!entry.ok()) return entry.status();
  return batch;
}

// Binary search: the first entry that is `wanted`, as are all after it.
absl::StatusOr<IndexEntry> RocksDbLogReader::FindFirst(IndexCursor* cursor, Predicate wanted) {
  const auto oldest = cursor->Oldest();
  if (!oldest.ok()) return oldest;
  auto found = cursor->Newest();
  if (!found.ok()) return found;
  if (!wanted(*found)) return absl::NotFoundError("no such record");
  int64_t low = oldest->first;
  while (low < found->first) {
    const int64_t middle = low + (found->first - low) / 2;
    const auto entry = cursor->AtOrBefore(middle);
    if (!entry.ok()) return entry;
    if (entry->first < low || !wanted(*entry)) {
      low = std::max(middle, entry->last) + 1;
    } else {
      found = entry;
    }
  }
  return found;
}

absl::StatusOr<Batch> RocksDbLogReader::FindTime(std::string_view run_key,
                                                 int64_t unix_nanos) const {
  const auto database = database_->Use();
  if (!database.ok()) return database.status();
  IndexCursor cursor(database->get(), run_key, damage_);
  const auto entry = FindFirst(&cursor, [&](const IndexEntry& candidate) {
    return candidate.last_time_unix_nanos >= unix_nanos;
  });
  if (!entry.ok()) return entry.status();
  return ReadIn(database->get(), run_key, entry->first, /*once=*/false);
}

// What is found is deleted up to: it must not lie too far back in the log. Offsets count only as
// long as all that is seen of them fits together.
absl::StatusOr<int64_t> RocksDbLogReader::FindBytes(std::string_view run_key, int64_t bytes) const {
  const auto database = database_->Use();
  if (!database.ok()) return database.status();
  IndexCursor cursor(database->get(), run_key, damage_);
  const auto newest = cursor.Newest();
  if (!newest.ok()) return newest.status();
  bool is_sound = EndIsSound(&cursor, *newest);
  const auto entry = FindFirst(&cursor, [&](const IndexEntry& candidate) {
    if (candidate.first >= newest->first) return true;
    is_sound = is_sound && candidate.end() <= newest->offset;
    return newest->end() - candidate.offset <= bytes;
  });
  if (entry.ok() && is_sound && cursor.trusts_index()) return entry->first;
  return CountBack(&cursor, *newest, bytes);
}

absl::StatusOr<IndexEntry> RocksDbLogReader::Oldest(std::string_view run_key) const {
  const auto database = database_->Use();
  if (!database.ok()) return database.status();
  return IndexCursor(database->get(), run_key, damage_).Oldest();
}

absl::StatusOr<LogExtent> RocksDbLogReader::Extent(std::string_view run_key,
                                                   const IndexEntry& oldest,
                                                   const IndexEntry& newest) const {
  int64_t bytes = newest.end() - oldest.offset;
  if (oldest.is_rebuilt || bytes < oldest.size) {
    const auto database = database_->Use();
    if (!database.ok()) return database.status();
    IndexCursor cursor(database->get(), run_key, damage_);
    bytes = 0;
    for (auto entry = cursor.Oldest(); entry.ok(); entry = cursor.After(*entry)) {
      bytes += entry->size;
    }
  }
  return LogExtent{oldest.first,       newest.last,       bytes, newest.last_time_unix_nanos,
                   newest.total_lines, newest.total_bytes};
}

}  // namespace jobtail
