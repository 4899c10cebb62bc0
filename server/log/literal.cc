// Looks for two rare bytes of a literal in 32 places at once, and for the rest where both are.
#include "server/log/literal.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <limits>

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace jobtail {
namespace {

// What records have most of, the commonest first: figures and small letters of the texts, and what
// stands around these in their encoding. Everything else is rare.
constexpr std::string_view kCommon =
    " 0123456789etaoinsrhldcumfpgwybvkxjqz\x0A\x08\x12\x18\x01\x2A\x02.:-_/,=\"'T[]()ZIENOSRADC";

constexpr auto kCommonness = [] {
  std::array<uint8_t, std::numeric_limits<unsigned char>::max() + 1> commonness{};
  for (size_t i = kCommon.size(); i > 0; --i) {
    commonness[static_cast<unsigned char>(kCommon[i - 1])] =
        static_cast<uint8_t>(kCommon.size() - i + 1);
  }
  return commonness;
}();

uint8_t Commonness(char c) { return kCommonness[static_cast<unsigned char>(c)]; }

// As near as this, bytes come together more often than by chance.
constexpr size_t kSideBySide = 2;

size_t Distance(size_t one, size_t other) { return one > other ? one - other : other - one; }

size_t FindPlainly(std::string_view bytes, size_t from, std::string_view text) {
  const void* const found =
      memmem(bytes.data() + from, bytes.size() - from, text.data(), text.size());
  if (!found) return Literal::kNowhere;
  return static_cast<size_t>(static_cast<const char*>(found) - bytes.data());
}

#ifdef __x86_64__

bool HasAvx2() {
  static const bool has = __builtin_cpu_supports("avx2") != 0;
  return has;
}

constexpr size_t kWidth = sizeof(__m256i);

// Where both bytes are, a bit for each of the places from `at` on.
__attribute__((target("avx2"))) inline uint32_t Candidates(const char* at, size_t rare,
                                                           size_t other, __m256i rare_byte,
                                                           __m256i other_byte) {
  const __m256i first = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + rare));
  const __m256i second = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + other));
  return static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_and_si256(
      _mm256_cmpeq_epi8(first, rare_byte), _mm256_cmpeq_epi8(second, other_byte))));
}

// In `places` places from `from` on, at least kWidth of them. What is found too often without the
// rest is looked for plainly: no text makes this slow.
__attribute__((target("avx2"))) size_t FindWidely(std::string_view bytes, size_t from,
                                                  size_t places, std::string_view text, size_t rare,
                                                  size_t other) {
  constexpr int64_t kBytesInVain = 64;  // for each place that is looked at in vain
  const __m256i rare_byte = _mm256_set1_epi8(text[rare]);
  const __m256i other_byte = _mm256_set1_epi8(text[other]);
  const size_t last = from + places - kWidth;
  int64_t in_vain = -kBytesInVain * 16;
  for (size_t at = from;;) {
    uint32_t candidates = Candidates(bytes.data() + at, rare, other, rare_byte, other_byte);
    for (; candidates != 0; candidates &= candidates - 1) {
      const size_t place = at + static_cast<size_t>(__builtin_ctz(candidates));
      if (memcmp(bytes.data() + place, text.data(), text.size()) == 0) return place;
      in_vain += kBytesInVain;
    }
    if (at == last) return Literal::kNowhere;
    if (in_vain > static_cast<int64_t>(at - from)) return FindPlainly(bytes, at, text);
    at = std::min(at + kWidth, last);
  }
}

#endif

}  // namespace

Literal::Literal(std::string_view text) : text_(text) {
  const auto rarer = [&](size_t one, size_t than) {
    return Commonness(text_[one]) < Commonness(text_[than]);
  };
  for (size_t i = 1; i < text_.size(); ++i) {
    if (rarer(i, rare_)) rare_ = i;
  }
  other_ = rare_ > 0 ? rare_ - 1 : text_.size() - 1;
  for (size_t i = 0; i < text_.size(); ++i) {
    if (Distance(i, rare_) <= kSideBySide) continue;
    if (Distance(other_, rare_) <= kSideBySide || rarer(i, other_)) other_ = i;
  }
}

size_t Literal::FindIn(std::string_view bytes, size_t from) const {
  if (from > bytes.size() || bytes.size() - from < text_.size()) return kNowhere;
#ifdef __x86_64__
  const size_t places = bytes.size() - from - text_.size() + 1;
  if (text_.size() > 1 && places >= kWidth && HasAvx2()) {
    return FindWidely(bytes, from, places, text_, rare_, other_);
  }
#endif
  return FindPlainly(bytes, from, text_);
}

}  // namespace jobtail
