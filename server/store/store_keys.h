// The bytes of keys and index entries in a store on disk; docs/log-format.md describes them. All
// numbers are big endian, so that keys are in the order of their numbers.
#ifndef JOBTAIL_SERVER_STORE_STORE_KEYS_H_
#define JOBTAIL_SERVER_STORE_STORE_KEYS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/log/batch.h"

namespace jobtail {

inline constexpr size_t kRunKeyBytes = 16;
inline constexpr size_t kNumberBytes = 8;
inline constexpr size_t kBatchKeyBytes = kRunKeyBytes + kNumberBytes;

void AppendNumber(int64_t number, std::string* bytes);

// Of the first 8 bytes, which must be there.
int64_t ReadNumber(std::string_view bytes);

// A run's id as that many bytes. INVALID_ARGUMENT if `run` is not a UUID.
absl::StatusOr<std::string> RunKey(const std::string& run);

// The id in the first 16 bytes of `key`, in text form.
std::string RunOfKey(std::string_view key);

// The key of the batch that begins with record `first`, in both column families.
std::string BatchKey(std::string_view run_key, int64_t first);

// The first key after all those of a run.
std::string EndKey(std::string_view run_key);

// Where a batch lies in its log, and what it has.
struct IndexEntry {
  int64_t first = 0;  // in the key
  int64_t last = 0;
  int64_t last_time_unix_nanos = 0;
  int64_t offset = 0;  // bytes of encoded records before it, those included that were deleted
  int64_t size = 0;    // bytes of its own
  int64_t total_lines = 0;
  int64_t total_bytes = 0;
  // Made from the batch, since the index could not be read: offset and totals are unknown, and 0.
  bool is_rebuilt = false;

  int64_t end() const { return offset + size; }
};

// An entry's numbers without anything else, as the journal has them.
inline constexpr size_t kIndexFieldsBytes = 6 * kNumberBytes;

// The version of entries that this server writes. It reads all before it. Those of version 1 had no
// version, but the numbers alone.
inline constexpr unsigned char kIndexVersion = 2;

IndexEntry MakeIndexEntry(const Batch& batch, int64_t offset);
std::string EncodeIndexEntry(const IndexEntry& entry);
void AppendIndexFields(const IndexEntry& entry, std::string* bytes);

// The number of the first record in a key.
std::optional<int64_t> DecodeBatchKey(std::string_view key);

// DATA_LOSS if they are none, with what is wrong about it: the length, a version that this server
// does not know, or numbers that no batch can have (IsRange; none of the others is negative).
absl::StatusOr<IndexEntry> DecodeIndexEntry(std::string_view key, std::string_view value);
absl::StatusOr<IndexEntry> DecodeIndexFields(int64_t first, std::string_view fields);

// `size` in an entry's numbers, whatever the others are.
int64_t SizeInIndexFields(std::string_view fields);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_STORE_KEYS_H_
