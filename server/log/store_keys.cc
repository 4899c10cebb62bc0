#include "server/log/store_keys.h"

#include <uuid/uuid.h>

#include <array>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace jobtail {
namespace {

// The fields of an index entry's value, in their order.
constexpr std::array kFields = {&IndexEntry::last,        &IndexEntry::last_time_unix_nanos,
                                &IndexEntry::offset,      &IndexEntry::size,
                                &IndexEntry::total_lines, &IndexEntry::total_bytes};

static_assert(kFields.size() * kNumberBytes == kIndexEntryBytes);
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

void AppendIndexEntry(const IndexEntry& entry, std::string* bytes) {
  for (const auto field : kFields) AppendNumber(entry.*field, bytes);
}

std::string EncodeIndexEntry(const IndexEntry& entry) {
  std::string value;
  value.reserve(kIndexEntryBytes);
  AppendIndexEntry(entry, &value);
  return value;
}

std::optional<IndexEntry> DecodeKey(std::string_view key) {
  if (key.size() != sizeof(uuid_t) + kNumberBytes) return std::nullopt;
  IndexEntry entry;
  entry.first = ReadNumber(key.substr(sizeof(uuid_t)));
  return entry;
}

std::optional<IndexEntry> DecodeIndexEntry(std::string_view key, std::string_view value) {
  std::optional<IndexEntry> entry = DecodeKey(key);
  if (!entry || value.size() != kFields.size() * kNumberBytes) return std::nullopt;
  for (size_t i = 0; i < kFields.size(); ++i) {
    (*entry).*kFields[i] = ReadNumber(value.substr(i * kNumberBytes));
  }
  return entry;
}

}  // namespace jobtail
