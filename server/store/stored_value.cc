// Compresses batches for the database, and reads them back.
#include "server/store/stored_value.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/store/batch_memory.h"
#include "server/store/store_keys.h"

namespace jobtail {
namespace {

// Every encoded LogBatch begins with this byte: the tag of its only field.
constexpr char kBatch = '\x0A';

// No encoded LogBatch begins with this byte: it would be a field with the number 0.
constexpr char kMark = '\0';
constexpr int kPlain = 0;
constexpr int kLz4 = 1;
constexpr size_t kPlainHeader = 2;
constexpr char kPlainMark[kPlainHeader] = {kMark, kPlain};
constexpr size_t kLz4Header = 2 + kNumberBytes;

// Two or three lines: less gains little.
constexpr size_t kLeast = 256;

bool IsBatch(std::string_view bytes) { return bytes.empty() || bytes[0] == kBatch; }

bool StartsWith(std::string_view value, int form) {
  return value.size() >= kPlainHeader && value[0] == kMark && value[1] == form;
}

}  // namespace

std::string_view ValueEncoder::Encode(std::string_view bytes) {
  if (bytes.size() >= kLeast) {
    const std::string_view block = encoder_.Encode(bytes);
    if (!block.empty()) return EncodeLz4(block, bytes.size());
  }
  return EncodePlain(bytes);
}

std::string_view ValueEncoder::Encode(const Batch& batch) {
  if (batch.compressed) return EncodeLz4(*batch.compressed, batch.bytes->size());
  return batch.is_incompressible ? EncodePlain(*batch.bytes) : Encode(*batch.bytes);
}

std::string_view ValueEncoder::EncodePlain(std::string_view bytes) {
  if (IsBatch(bytes)) return bytes;
  return Join({kPlainMark, kPlainHeader}, bytes);
}

std::string_view ValueEncoder::EncodeLz4(std::string_view block, size_t size) {
  std::string header({kMark, static_cast<char>(kLz4)});
  AppendNumber(static_cast<int64_t>(size), &header);
  return Join(header, block);
}

std::string_view ValueEncoder::Join(std::string_view header, std::string_view bytes) {
  const size_t size = header.size() + bytes.size();
  // What is there already is of no use to this value.
  if (size_ < size) {
    memory_ = std::make_unique_for_overwrite<char[]>(size);
    size_ = size;
  }
  header.copy(memory_.get(), header.size());
  bytes.copy(memory_.get() + header.size(), bytes.size());
  return {memory_.get(), size};
}

std::optional<std::string_view> PlainBytes(std::string_view value) {
  if (IsBatch(value)) return value;
  if (StartsWith(value, kPlain)) return value.substr(kPlainHeader);
  return std::nullopt;
}

std::optional<CompressedValue> CompressedBytesOf(std::string_view value) {
  if (!StartsWith(value, kLz4) || value.size() < kLz4Header) return std::nullopt;
  const int64_t size = ReadNumber(value.substr(kPlainHeader));
  const std::string_view block = value.substr(kLz4Header);
  if (size < 0 || !CanBeLz4Of(block.size(), static_cast<size_t>(size))) return std::nullopt;
  return CompressedValue{block, static_cast<size_t>(size)};
}

absl::StatusOr<SharedBytes> Decompress(std::string_view value) {
  if (value.size() < kPlainHeader) return absl::DataLossError("a value that is cut off");
  if (value[0] != kMark) {
    return absl::DataLossError(absl::StrCat("a value that begins with the byte ",
                                            static_cast<unsigned char>(value[0]),
                                            ", which none does"));
  }
  if (!StartsWith(value, kLz4)) {
    return absl::DataLossError(absl::StrCat("a value of form ",
                                            static_cast<unsigned char>(value[1]),
                                            ", where this server knows ", kPlain, " and ", kLz4));
  }
  const auto compressed = CompressedBytesOf(value);
  if (!compressed) {
    const int64_t size = value.size() < kLz4Header ? -1 : ReadNumber(value.substr(kPlainHeader));
    return absl::DataLossError(
        absl::StrCat("a value of ", value.size(), " bytes for a batch of ", size));
  }
  BatchMemory memory(compressed->size);
  if (!DecodeLz4(compressed->block, memory.bytes(), compressed->size)) {
    return absl::DataLossError(
        absl::StrCat("a batch of ", compressed->size, " bytes cannot be decompressed"));
  }
  return Share(std::move(memory), [](const BatchMemory& owner) { return owner.view(); });
}

}  // namespace jobtail
