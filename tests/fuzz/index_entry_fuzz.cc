// Entries of the index, a key and a value: what is read is in range, and is written the same.

#include <algorithm>
#include <string>

#include "server/store/record_range.h"
#include "server/store/store_keys.h"
#include "tests/fuzz/fuzz.h"

namespace jobtail {
namespace {

using fuzz::Check;

void Run(std::string_view bytes) {
  const std::string_view key = bytes.substr(0, std::min(kBatchKeyBytes, bytes.size()));
  const std::string_view value = bytes.substr(key.size());
  const auto entry = DecodeIndexEntry(key, value);
  if (!entry.ok()) return;
  Check(IsRange(entry->first, entry->last), "its numbers are some that a batch may have");
  Check(entry->offset >= 0 && entry->size >= 0 && entry->end() >= entry->offset, "so is its place");
  Check(entry->total_lines >= 0 && entry->total_bytes >= 0, "and so are its totals");
  Check(!entry->is_rebuilt, "it comes from the index");
  Check(BatchKey(key.substr(0, kRunKeyBytes), entry->first) == key, "the key is written the same");
  const std::string again = EncodeIndexEntry(*entry);
  const bool is_version_1 = value.size() == kIndexFieldsBytes;
  Check(is_version_1 ? again.substr(1) == value : value.starts_with(again),
        "the value is written the same");
}

}  // namespace
}  // namespace jobtail

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  jobtail::Run(jobtail::fuzz::AsText(data, size));
  return 0;
}
