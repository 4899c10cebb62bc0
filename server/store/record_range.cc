// Counts the records of a batch.
#include "server/store/record_range.h"

#include "server/log/record.h"

namespace jobtail {
namespace {

// Whether the record is a gap from `first` to `last`.
bool IsGap(std::string_view payload, int64_t first, int64_t last) {
  v1::LogLine line;
  return line.ParseFromArray(payload.data(), static_cast<int>(payload.size())) && line.has_gap() &&
         line.gap().first() == first && line.gap().last() == last && first <= last;
}

}  // namespace

std::optional<LastRecord> FindLastRecord(std::string_view batch, int64_t first) {
  if (!IsRange(first, first)) return std::nullopt;
  LastRecord last;
  int64_t next = first;
  RecordWalker walker(batch);
  while (walker.Next()) {
    const int64_t sequence = SequenceOf(walker.payload());
    if (sequence > kMaxSequence) return std::nullopt;
    if (sequence != next && !IsGap(walker.payload(), next, sequence)) return std::nullopt;
    last = {sequence, walker.payload()};
    next = sequence + 1;
  }
  if (last.sequence == 0 || !walker.rest().empty()) return std::nullopt;
  return last;
}

}  // namespace jobtail
