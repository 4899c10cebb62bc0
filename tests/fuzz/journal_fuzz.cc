// Journals: whatever lies in the file, what is taken for a batch has the records that it says, and
// is what a server would have written.

#include <cstdint>
#include <string>

#include "server/store/crc32c.h"
#include "server/store/journal_frame.h"
#include "server/store/record_range.h"
#include "tests/fuzz/fuzz.h"

namespace jobtail {
namespace {

using fuzz::Check;

std::string Number(uint64_t number) {
  std::string bytes;
  AppendNumber(static_cast<int64_t>(number), &bytes);
  return bytes;
}

void CheckSound(const Frame& frame) {
  const Batch& batch = frame.entry.batch;
  Check(IsRange(batch.first, batch.last), "its numbers are some that a batch may have");
  Check(batch.total_lines >= 0 && batch.total_bytes >= 0, "its totals are not negative");
  const auto last = FindLastRecord(*batch.bytes, batch.first);
  Check(last && last->sequence == batch.last, "its records are those that it says");
  Check(RunKey(frame.entry.run).ok(), "its run is one");
}

// The bytes as a frame whose size and checksum are right: the fuzzer would not find those.
void RunFrame(std::string bytes) {
  if (bytes.size() < kFrameHeaderBytes) return;
  constexpr size_t kOffsetField = 2 * kNumberBytes + kBatchKeyBytes + 2 * kNumberBytes;
  bytes.replace(kOffsetField, kNumberBytes, Number(0));
  bytes.replace(kOffsetField + kNumberBytes, kNumberBytes,
                Number(bytes.size() - kFrameHeaderBytes));
  bytes.replace(0, kNumberBytes, Number(Crc32c(std::string_view(bytes).substr(kNumberBytes))));
  const std::optional<Frame> frame = DecodeFrame(bytes + "what comes after it");
  Check(frame.has_value(), "a frame with the right checksum is one");
  Check(frame->size == bytes.size(), "it is as long as it says");
  if (!frame->is_sound) return;
  CheckSound(*frame);
  std::string again;
  EncodeFrame(frame->epoch, *RunKey(frame->entry.run), frame->entry.batch, &again);
  Check(again == bytes, "what is read is written the same");
}

void RunHalf(std::string_view bytes) {
  size_t size = 0;
  for (const Frame& frame : DecodeHalf(bytes)) {
    size += frame.size;
    Check(size <= bytes.size(), "frames lie in the half");
    if (frame.is_sound) CheckSound(frame);
  }
}

void RunHeader(std::string_view bytes) {
  const auto header = DecodeJournalHeader(bytes);
  if (!header.ok() || !*header || (*header)->version != kJournalVersion) return;
  const std::string again = EncodeJournalHeader((*header)->half_bytes);
  Check(bytes.starts_with(again), "a header that is read is written the same");
}

}  // namespace
}  // namespace jobtail

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes = jobtail::fuzz::AsText(data, size);
  jobtail::RunHeader(bytes);
  jobtail::RunHalf(bytes);
  jobtail::RunFrame(std::string(bytes));
  return 0;
}
