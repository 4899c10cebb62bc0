// The client's decompressor: whatever a server sends, it is as large as it says, or refused.

#include <google/protobuf/stubs/logging.h>

#include <cstdint>
#include <optional>
#include <string>

#include "client/decompressor.h"
#include "tests/fuzz/fuzz.h"

namespace jobtail::client {
namespace {

using fuzz::Check;

void Run(const std::string& bytes) {
  v1::LogBatch batch;
  if (!batch.ParseFromString(bytes)) return;
  Decompressor decompressor;
  const std::optional<std::string_view> lines = decompressor.Decompress(batch);
  if (!lines) return;
  Check(lines->size() <= kMostDecompressed, "no message is larger than may be");
  int64_t size = 0;
  for (const v1::CompressedBatch& each : batch.compressed()) size += each.size();
  Check(static_cast<int64_t>(lines->size()) == size, "lines are as many bytes as was said");
  const std::string first(*lines);
  Check(decompressor.Decompress(batch) == first, "the same again is the same");
}

}  // namespace
}  // namespace jobtail::client

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  google::protobuf::SetLogHandler(nullptr);  // each text that is not UTF-8
  jobtail::client::Run(std::string(jobtail::fuzz::AsText(data, size)));
  return 0;
}
