// Encodes and checks the journal's header and frames.
#include "server/store/journal_frame.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/store/crc32c.h"
#include "server/store/record_range.h"

namespace jobtail {
namespace {

constexpr std::string_view kMagic = "jobtail journal\n";
constexpr size_t kCheckedHeaderBytes = kMagic.size() + 2 * kNumberBytes;

bool HasRecords(const IndexEntry& entry, std::string_view batch) {
  const std::optional<LastRecord> last = FindLastRecord(batch, entry.first);
  return last && last->sequence == entry.last;
}

}  // namespace

std::string EncodeJournalHeader(int64_t half_bytes) {
  std::string header(kMagic);
  AppendNumber(kJournalVersion, &header);
  AppendNumber(half_bytes, &header);
  AppendNumber(Crc32c(header), &header);
  return header;
}

absl::StatusOr<std::optional<JournalHeader>> DecodeJournalHeader(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) return std::nullopt;
  if (bytes.size() < kCheckedHeaderBytes + kNumberBytes ||
      ReadNumber(bytes.substr(kCheckedHeaderBytes)) !=
          static_cast<int64_t>(Crc32c(bytes.substr(0, kCheckedHeaderBytes)))) {
    return absl::DataLossError("its header is damaged");
  }
  JournalHeader header;
  header.version = ReadNumber(bytes.substr(kMagic.size()));
  header.half_bytes = ReadNumber(bytes.substr(kMagic.size() + kNumberBytes));
  return header;
}

void EncodeFrame(int64_t epoch, std::string_view run_key, const Batch& batch, std::string* frame) {
  frame->assign(kNumberBytes, '\0');
  AppendNumber(epoch, frame);
  frame->append(run_key);
  AppendNumber(batch.first, frame);
  AppendIndexFields(MakeIndexEntry(batch, /*offset=*/0), frame);
  frame->append(*batch.bytes);
  std::string checksum;
  AppendNumber(Crc32c(std::string_view(*frame).substr(kNumberBytes)), &checksum);
  frame->replace(0, kNumberBytes, checksum);
}

std::optional<Frame> DecodeFrame(std::string_view bytes) {
  if (bytes.size() < kFrameHeaderBytes) return std::nullopt;
  const std::string_view key = bytes.substr(2 * kNumberBytes, kBatchKeyBytes);
  const std::string_view fields =
      bytes.substr(2 * kNumberBytes + kBatchKeyBytes, kIndexFieldsBytes);
  const int64_t batch_size = SizeInIndexFields(fields);
  const size_t room = bytes.size() - kFrameHeaderBytes;
  if (batch_size < 0 || static_cast<uint64_t>(batch_size) > room) return std::nullopt;
  Frame frame;
  frame.size = kFrameHeaderBytes + static_cast<size_t>(batch_size);
  const std::string_view checked = bytes.substr(kNumberBytes, frame.size - kNumberBytes);
  if (ReadNumber(bytes) != static_cast<int64_t>(Crc32c(checked))) return std::nullopt;
  frame.epoch = ReadNumber(checked);
  frame.entry.run = RunOfKey(key);
  const std::string_view batch = bytes.substr(kFrameHeaderBytes, static_cast<size_t>(batch_size));
  const absl::StatusOr<IndexEntry> entry = DecodeIndexFields(*DecodeBatchKey(key), fields);
  if (!entry.ok() || !HasRecords(*entry, batch)) return frame;
  frame.is_sound = true;
  frame.entry.batch = {entry->first,       entry->last,        entry->last_time_unix_nanos,
                       entry->total_lines, entry->total_bytes, Share(std::string(batch))};
  return frame;
}

std::vector<Frame> DecodeHalf(std::string_view half) {
  std::vector<Frame> frames;
  while (std::optional<Frame> frame = DecodeFrame(half)) {
    if (!frames.empty() && frame->epoch != frames.front().epoch) break;
    half.remove_prefix(frame->size);
    frames.push_back(*std::move(frame));
  }
  return frames;
}

}  // namespace jobtail
