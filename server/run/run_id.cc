#include "server/run/run_id.h"

#include <uuid/uuid.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "absl/time/clock.h"

namespace jobtail {
namespace {

// Milliseconds since 1970 in the upper bits, 4096ths of a millisecond in the lower 12: what RFC
// 9562 (6.2, method 3) puts in front of a UUID's random part. Never the same twice.
uint64_t NextTicks() {
  static std::atomic<uint64_t> last = 0;
  constexpr int64_t kNanosPerMilli = 1'000'000;
  const int64_t now = absl::GetCurrentTimeNanos();
  const uint64_t ticks = static_cast<uint64_t>(now / kNanosPerMilli) << 12 |
                         static_cast<uint64_t>(now % kNanosPerMilli * 4096 / kNanosPerMilli);
  uint64_t before = last.load();
  uint64_t next;
  do {
    next = std::max(ticks, before + 1);
  } while (!last.compare_exchange_weak(before, next));
  return next;
}

}  // namespace

std::string NewRunId() {
  uuid_t uuid;
  uuid_generate_random(uuid);  // sets the variant, too
  const uint64_t ticks = NextTicks();
  for (int i = 0; i < 6; ++i) uuid[i] = static_cast<unsigned char>(ticks >> (52 - 8 * i));
  uuid[6] = static_cast<unsigned char>(0x70 | (ticks >> 8 & 0x0F));
  uuid[7] = static_cast<unsigned char>(ticks);
  char text[UUID_STR_LEN];
  uuid_unparse_lower(uuid, text);
  return text;
}

bool IsRunId(const std::string& text) {
  uuid_t uuid;
  return uuid_parse(text.c_str(), uuid) == 0 &&
         std::ranges::none_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

}  // namespace jobtail
