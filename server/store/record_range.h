// Which numbers a batch may have, and which it has by its own records: the check of what comes from
// a disk, where a number that is wrong would be believed by everybody who counts on from it.
#ifndef JOBTAIL_SERVER_STORE_RECORD_RANGE_H_
#define JOBTAIL_SERVER_STORE_RECORD_RANGE_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/codec/log_line.h"

namespace jobtail {

// The smallest record has a tag, a length, and a number with its tag.
inline constexpr int64_t kMinRecordBytes = 4;

// Whether a batch may have these numbers.
constexpr bool IsRange(int64_t first, int64_t last) {
  return first >= 1 && last >= first && last <= kMaxSequence;
}

// Whether so many records find room in `bytes`. If not, one of them is a gap, which stands for
// many, or the numbers are wrong: LastRecord tells.
constexpr bool FitIn(int64_t bytes, int64_t first, int64_t last) {
  return last - first < bytes / kMinRecordBytes;
}

// The number of the last record of the encoded batch that begins with record `first`, and where
// that lies. Nullopt if `batch` is none: if it is empty, has something that is no record, or
// numbers that do not follow one another. A gap stands for the numbers from its first to its last.
struct LastRecord {
  int64_t sequence = 0;
  std::string_view payload;  // the LogLine
};
std::optional<LastRecord> FindLastRecord(std::string_view batch, int64_t first);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_RECORD_RANGE_H_
