// Reads batches from the last to the first, and each from its end.
#include "server/log/backward_walk.h"

#include <optional>
#include <utility>

#include "jobtail/v1/log.pb.h"

namespace jobtail {
namespace {

// Whether this stands for records that the store does not have.
bool IsMissing(const LineView& record) {
  if (record.content != v1::LogLine::kGap) return false;
  v1::Gap gap;
  if (!gap.ParseFromArray(record.bytes.data(), static_cast<int>(record.bytes.size()))) return false;
  return gap.reason() == v1::GAP_REASON_RETENTION || gap.reason() == v1::GAP_REASON_DAMAGED;
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
  return !IsMissing(record());
}

absl::StatusOr<bool> BackwardWalk::ReadBatch() {
  if (before_ <= 1) return false;
  absl::StatusOr<std::optional<Batch>> batch = log_->ReadOnce(before_ - 1);
  if (!batch.ok()) return batch.status();
  if (!*batch) return false;
  batch_ = **std::move(batch);
  RecordWalker walker(PartOf(batch_, 0, before_ - 1).view());
  while (walker.Next()) {
    LineView view;
    if (!DecodeLine(walker.payload(), &view)) {
      view = LineView();
      view.sequence = SequenceOf(walker.payload());
    }
    records_.push_back(view);
  }
  before_ = batch_.first;
  return true;
}

}  // namespace jobtail
