// Encodes and decodes keys and index entries.
#include "server/store/store_keys.h"

#include <uuid/uuid.h>

#include <array>
#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/store/record_range.h"

namespace jobtail {
namespace {

// The fields of an index entry's value, in their order.
constexpr std::array kFields = {&IndexEntry::last,        &IndexEntry::last_time_unix_nanos,
                                &IndexEntry::offset,      &IndexEntry::size,
                                &IndexEntry::total_lines, &IndexEntry::total_bytes};

static_assert(kFields.size() * kNumberBytes == kIndexFieldsBytes);
static_assert(kRunKeyBytes == sizeof(uuid_t));

}  // namespace

void AppendNumber(int64_t number, std::string* bytes) {
  const uint64_t value = static_cast<uint64_t>(number);
  char digits[kNumberBytes];
  for (size_t i = 0; i < kNumberBytes; ++i) digits[i] = static_cast<char>(value >> (56 - 8 * i));
  bytes->append(digits, kNumberBytes);
}

int64_t ReadNumber(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < kNumberBytes; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return static_cast<int64_t>(value);
}

absl::StatusOr<std::string> RunKey(const std::string& run) {
  uuid_t uuid;
  if (uuid_parse(run.c_str(), uuid) == 0) {
    return std::string(reinterpret_cast<const char*>(uuid), sizeof uuid);
  }
  return absl::InvalidArgumentError(absl::StrCat("run \"", absl::CHexEscape(run.substr(0, 100)),
                                                 "\": the store takes UUIDs only"));
}

std::string RunOfKey(std::string_view key) {
  if (key.size() < sizeof(uuid_t)) return "";
  uuid_t uuid;
  key.copy(reinterpret_cast<char*>(uuid), sizeof uuid);
  char text[UUID_STR_LEN];
  uuid_unparse_lower(uuid, text);
  return text;
}

std::string BatchKey(std::string_view run_key, int64_t first) {
  std::string key(run_key);
  AppendNumber(first, &key);
  return key;
}

std::string EndKey(std::string_view run_key) {
  std::string key(run_key);
  return key.append(kNumberBytes, '\xFF');  // sequence numbers are never negative
}

IndexEntry MakeIndexEntry(const Batch& batch, int64_t offset) {
  return {batch.first,
          batch.last,
          batch.last_time_unix_nanos,
          offset,
          static_cast<int64_t>(batch.bytes->size()),
          batch.total_lines,
          batch.total_bytes};
}

void AppendIndexFields(const IndexEntry& entry, std::string* bytes) {
  for (const auto field : kFields) AppendNumber(entry.*field, bytes);
}

std::string EncodeIndexEntry(const IndexEntry& entry) {
  std::string value;
  value.reserve(1 + kIndexFieldsBytes);
  value.push_back(static_cast<char>(kIndexVersion));
  AppendIndexFields(entry, &value);
  return value;
}

std::optional<int64_t> DecodeBatchKey(std::string_view key) {
  if (key.size() != kBatchKeyBytes) return std::nullopt;
  return ReadNumber(key.substr(kRunKeyBytes));
}

absl::StatusOr<IndexEntry> DecodeIndexFields(int64_t first, std::string_view fields) {
  IndexEntry entry;
  entry.first = first;
  for (size_t i = 0; i < kFields.size(); ++i) {
    entry.*kFields[i] = ReadNumber(fields.substr(i * kNumberBytes));
  }
  const bool is_sound = IsRange(entry.first, entry.last) && entry.offset >= 0 && entry.size >= 0 &&
                        entry.offset <= INT64_MAX - entry.size && entry.total_lines >= 0 &&
                        entry.total_bytes >= 0;
  if (is_sound) return entry;
  return absl::DataLossError(absl::StrCat("an entry that no batch can have: records ", first,
                                          " to ", entry.last, ", ", entry.size, " bytes at ",
                                          entry.offset));
}

int64_t SizeInIndexFields(std::string_view fields) {
  constexpr size_t kPosition = 3;
  static_assert(kFields[kPosition] == &IndexEntry::size);
  return ReadNumber(fields.substr(kPosition * kNumberBytes));
}

absl::StatusOr<IndexEntry> DecodeIndexEntry(std::string_view key, std::string_view value) {
  const std::optional<int64_t> first = DecodeBatchKey(key);
  if (!first) return absl::DataLossError(absl::StrCat("a key of ", key.size(), " bytes"));
  if (value.size() == kIndexFieldsBytes) return DecodeIndexFields(*first, value);  // version 1
  const int version = value.empty() ? 0 : static_cast<unsigned char>(value.front());
  if (version != kIndexVersion) {
    return absl::DataLossError(absl::StrCat("an entry of version ", version, " and ", value.size(),
                                            " bytes, where this server knows versions 1 and ",
                                            int{kIndexVersion}));
  }
  // What may follow is of a server that has more to say.
  if (value.size() > kIndexFieldsBytes) return DecodeIndexFields(*first, value.substr(1));
  return absl::DataLossError(absl::StrCat("an entry that is cut off at ", value.size(), " bytes"));
}

}  // namespace jobtail
