// The bytes of a journal: its header, and the frames that batches lie in. docs/log-format.md
// describes them.
#ifndef JOBTAIL_SERVER_STORE_JOURNAL_FRAME_H_
#define JOBTAIL_SERVER_STORE_JOURNAL_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/log/batch.h"
#include "server/store/store_keys.h"

namespace jobtail {

// The version of journals that this server writes. It reads all before it. Those of version 1 had
// no header, and two halves of half the file each.
inline constexpr int64_t kJournalVersion = 2;

// A page: the halves lie where the system maps them anyway.
inline constexpr size_t kJournalHeaderBytes = 4096;

// Checksum, epoch, key and the numbers of an index entry; the batch's bytes follow.
inline constexpr size_t kFrameHeaderBytes = 2 * kNumberBytes + kBatchKeyBytes + kIndexFieldsBytes;

// What the file says of itself.
struct JournalHeader {
  int64_t version = kJournalVersion;
  int64_t half_bytes = 0;
};
std::string EncodeJournalHeader(int64_t half_bytes);

// Nullopt if the bytes do not begin with a header: they are of version 1, or of no journal.
// DATA_LOSS for a header that is damaged.
absl::StatusOr<std::optional<JournalHeader>> DecodeJournalHeader(std::string_view bytes);

// A batch of a run that waited in a journal.
struct JournalEntry {
  std::string run;
  Batch batch;
};

// Replaces what is in `frame`.
void EncodeFrame(int64_t epoch, std::string_view run_key, const Batch& batch, std::string* frame);

struct Frame {
  int64_t epoch = 0;
  JournalEntry entry;
  size_t size = 0;
  // Whether the batch has the records that it is said to have. If not, somebody has written it that
  // was wrong, and only the size is to be believed.
  bool is_sound = false;
};

// The frame at the beginning of `bytes`; nullopt if there is none with the right checksum.
std::optional<Frame> DecodeFrame(std::string_view bytes);

// The frames at the beginning of a half that belong together, sound or not. What comes after them
// is left from an earlier round.
std::vector<Frame> DecodeHalf(std::string_view half);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_JOURNAL_FRAME_H_
