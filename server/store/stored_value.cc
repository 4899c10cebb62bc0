// Compresses batches for the database, and reads them back.
#include "server/store/stored_value.h"

#include <lz4.h>

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
constexpr size_t kLz4Header = 2 + kNumberBytes;

// Two or three lines: less gains little.
constexpr size_t kLeast = 256;

// A log has records of at most 64 KiB, and batches of hardly more than two of them; whoever
// appends more is a test.
constexpr int64_t kMost = 256 << 20;

// A byte of LZ4 stands for at most 255: what claims more need not be given the memory.
constexpr int64_t kMostLz4Gain = 255;

bool IsBatch(std::string_view bytes) { return bytes.empty() || bytes[0] == kBatch; }

bool StartsWith(std::string_view value, int form) {
  return value.size() >= kPlainHeader && value[0] == kMark && value[1] == form;
}

}  // namespace

// What is there already is of no use to the next value.
char* ValueEncoder::Reserve(size_t size) {
  if (size_ < size) {
    memory_ = std::make_unique_for_overwrite<char[]>(size);
    size_ = size;
  }
  return memory_.get();
}

std::string_view ValueEncoder::Encode(std::string_view bytes) {
  if (bytes.size() >= kLeast && bytes.size() <= kMost) {
    const size_t room = bytes.size() - bytes.size() / 8;
    char* const value = Reserve(kLz4Header + room);
    std::string header({kMark, static_cast<char>(kLz4)});
    AppendNumber(static_cast<int64_t>(bytes.size()), &header);
    header.copy(value, kLz4Header);
    const int size = LZ4_compress_default(bytes.data(), value + kLz4Header,
                                          static_cast<int>(bytes.size()), static_cast<int>(room));
    if (size > 0) return {value, kLz4Header + static_cast<size_t>(size)};
  }
  if (IsBatch(bytes)) return bytes;
  char* const value = Reserve(kPlainHeader + bytes.size());
  value[0] = kMark;
  value[1] = static_cast<char>(kPlain);
  bytes.copy(value + kPlainHeader, bytes.size());
  return {value, kPlainHeader + bytes.size()};
}

std::optional<std::string_view> PlainBytes(std::string_view value) {
  if (IsBatch(value)) return value;
  if (StartsWith(value, kPlain)) return value.substr(kPlainHeader);
  return std::nullopt;
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
  const std::string_view block = value.substr(std::min(kLz4Header, value.size()));
  const int64_t size = value.size() < kLz4Header ? -1 : ReadNumber(value.substr(kPlainHeader));
  if (size < 0 || size > std::min(kMost, kMostLz4Gain * static_cast<int64_t>(block.size()))) {
    return absl::DataLossError(
        absl::StrCat("a value of ", value.size(), " bytes for a batch of ", size));
  }
  BatchMemory memory(static_cast<size_t>(size));
  const int count = LZ4_decompress_safe(block.data(), memory.bytes(),
                                        static_cast<int>(block.size()), static_cast<int>(size));
  if (count != size) {
    return absl::DataLossError(absl::StrCat("a batch of ", size, " bytes cannot be decompressed"));
  }
  return Share(std::move(memory), [](const BatchMemory& owner) { return owner.view(); });
}

}  // namespace jobtail
