// Values of batches: any bytes come back as they were, and any value is either a batch or an error.

#include <string>

#include "server/store/stored_value.h"
#include "tests/fuzz/fuzz.h"

namespace jobtail {
namespace {

using fuzz::Check;

std::string Decode(std::string_view value) {
  if (const auto plain = PlainBytes(value)) return std::string(*plain);
  const auto bytes = Decompress(value);
  Check(bytes.ok(), "what was encoded decodes", bytes.status().ToString());
  return std::string(**bytes);
}

void Run(std::string_view bytes) {
  ValueEncoder encoder;
  const std::string value(encoder.Encode(bytes));
  Check(value.size() <= bytes.size() + 2, "a value is hardly larger than its batch");
  Check(Decode(value) == bytes, "what was encoded decodes to the same");
  if (PlainBytes(bytes)) return;
  const auto batch = Decompress(bytes);
  if (!batch.ok()) return;
  Check((*batch)->size() <= 255 * bytes.size(), "no batch is larger than LZ4 can make it");
  Check(Decode(encoder.Encode(**batch)) == **batch, "and what it decodes to is encoded again");
}

}  // namespace
}  // namespace jobtail

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  jobtail::Run(jobtail::fuzz::AsText(data, size));
  return 0;
}
