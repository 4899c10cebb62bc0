// UUIDs that are ordered by time.
#include "server/run/run_id.h"

#include <uuid/uuid.h>

#include <algorithm>

namespace jobtail {
namespace {

constexpr int kTickBits = 60;

// Milliseconds since 1970 in the upper 48 bits, 4096ths of a millisecond in the lower 12: what RFC
// 9562 (6.2, method 3) puts in front of a UUID's random part.
uint64_t TicksAt(absl::Time now) {
  constexpr int64_t kNanosPerMilli = 1'000'000;
  const int64_t nanos = std::max<int64_t>(0, absl::ToUnixNanos(now));
  return static_cast<uint64_t>(nanos / kNanosPerMilli) << 12 |
         static_cast<uint64_t>(nanos % kNanosPerMilli * 4096 / kNanosPerMilli);
}

uint64_t TicksOf(const uuid_t& uuid) {
  uint64_t ticks = 0;
  for (int i = 0; i < 6; ++i) ticks = ticks << 8 | uuid[i];
  return ticks << 12 | static_cast<uint64_t>(uuid[6] & 0x0F) << 8 | uuid[7];
}

}  // namespace

std::string RunIds::Make(absl::Time now) {
  uint64_t before = last_.load();
  uint64_t ticks;
  do {
    ticks = std::max(TicksAt(now), before + 1);  // never the same twice
  } while (!last_.compare_exchange_weak(before, ticks));
  uuid_t uuid;
  uuid_generate_random(uuid);  // sets the variant, too
  for (int i = 0; i < 6; ++i) uuid[i] = static_cast<unsigned char>(ticks >> (52 - 8 * i));
  uuid[6] = static_cast<unsigned char>(0x70 | (ticks >> 8 & 0x0F));
  uuid[7] = static_cast<unsigned char>(ticks);
  char text[UUID_STR_LEN];
  uuid_unparse_lower(uuid, text);
  return text;
}

// An id of another version tells no time, and one of the last years that fit leaves no room.
void RunIds::Continue(const std::string& id) {
  uuid_t uuid;
  if (uuid_parse(id.c_str(), uuid) != 0 || uuid[6] >> 4 != 7) return;
  const uint64_t ticks = TicksOf(uuid);
  if (ticks >> (kTickBits - 1) != 0) return;
  uint64_t before = last_.load();
  while (before < ticks && !last_.compare_exchange_weak(before, ticks)) {
  }
}

bool IsRunId(const std::string& text) {
  uuid_t uuid;
  return uuid_parse(text.c_str(), uuid) == 0 &&
         std::ranges::none_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
}

}  // namespace jobtail
