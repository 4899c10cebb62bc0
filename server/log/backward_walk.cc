// Reads batches from the last to the first, and each from its end.
#include "server/log/backward_walk.h"

#include <limits>
#include <optional>
#include <utility>

#include "jobtail/v1/log.pb.h"

namespace jobtail {
namespace {

// How far back the first look for the beginning of damage goes, in records.
constexpr int64_t kFirstLook = 16;

// Of a gap; otherwise unspecified.
v1::GapReason ReasonOf(const LineView& record) {
  v1::Gap gap;
  if (record.content == v1::LogLine::kGap) {
    gap.ParseFromArray(record.bytes.data(), static_cast<int>(record.bytes.size()));
  }
  return gap.reason();
}

// Whether it stands for records that the store has and cannot read.
bool IsDamaged(const Batch& batch) {
  RecordWalker walker(*batch.bytes);
  LineView first;
  return walker.Next() && DecodeLine(walker.payload(), &first) &&
         ReasonOf(first) == v1::GAP_REASON_DAMAGED;
}

}  // namespace

absl::StatusOr<bool> BackwardWalk::Next() {
  if (is_at_record_) records_.pop_back();
  is_at_record_ = false;
  while (records_.empty()) {
    const absl::StatusOr<bool> read = ReadBatch();
    if (!read.ok() || !*read) return read;
  }
  is_at_record_ = true;
  bytes_ += record().encoded.size();
  return ReasonOf(record()) != v1::GAP_REASON_RETENTION;
}

absl::StatusOr<bool> BackwardWalk::ReadBatch() {
  if (before_ <= 1) return false;
  absl::StatusOr<std::optional<Batch>> batch = log_->ReadOnce(before_ - 1);
  if (!batch.ok()) return batch.status();
  if (!*batch) return false;
  if (IsDamaged(**batch)) {
    const absl::StatusOr<int64_t> begin = BeginOfDamage(before_ - 1);
    if (!begin.ok()) return begin.status();
    batch = log_->ReadOnce(*begin);
    if (!batch.ok()) return batch.status();
    if (!*batch) return false;
  }
  part_ = PartOf(**batch, 0, before_ - 1);
  RecordWalker walker(part_.view());
  while (walker.Next()) {
    LineView view;
    if (!DecodeLine(walker.payload(), &view)) {
      view = LineView();
      view.sequence = SequenceOf(walker.payload());
    }
    records_.push_back(view);
  }
  before_ = (*batch)->first;
  return true;
}

// The first of the records up to `last` of which none can be read. A store passes over all that
// cannot be read to find what comes after it, so each look into it costs what is left of it: a few
// looks, further and further back, until something can be read; from there on, onwards.
absl::StatusOr<int64_t> BackwardWalk::BeginOfDamage(int64_t last) {
  int64_t sound = 0;  // the last record that is known to come before
  for (int64_t distance = kFirstLook; distance < last && sound == 0; distance *= 2) {
    const absl::StatusOr<int64_t> end = EndOfBatchAt(last - distance);
    if (!end.ok()) return end.status();
    if (*end < last) sound = *end;
  }
  while (sound + 1 < last) {
    const absl::StatusOr<int64_t> end = EndOfBatchAt(sound + 1);
    if (!end.ok()) return end.status();
    if (*end >= last) break;
    sound = *end;
  }
  return sound + 1;
}

// The last record of what is read for `sequence`.
absl::StatusOr<int64_t> BackwardWalk::EndOfBatchAt(int64_t sequence) {
  const absl::StatusOr<std::optional<Batch>> batch = log_->ReadOnce(sequence);
  if (!batch.ok()) return batch.status();
  if (!*batch) return std::numeric_limits<int64_t>::max();
  // What stands for damage is small, and looking into that is not cheaper than reading.
  bytes_ += IsDamaged(**batch) ? kBatchBytes : (*batch)->bytes->size();
  return (*batch)->last;
}

}  // namespace jobtail
