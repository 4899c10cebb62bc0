#include "server/log/crc32c.h"

#include <dlfcn.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace rocksdb::crc32c {

// As in RocksDB's util/crc32c.h, which is not installed: the checksum of A and B, one after the
// other, from that of A.
uint32_t Extend(uint32_t checksum, const char* data, size_t size);

namespace {

using Function = uint32_t (*)(uint32_t, const char*, size_t);

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t ExtendByInstruction(uint32_t checksum, const char* data,
                                                               size_t size) {
  uint64_t crc = ~checksum;
  for (; size >= sizeof(uint64_t); data += sizeof(uint64_t), size -= sizeof(uint64_t)) {
    uint64_t word;
    memcpy(&word, data, sizeof word);
    crc = _mm_crc32_u64(crc, word);
  }
  auto rest = static_cast<uint32_t>(crc);
  for (; size > 0; ++data, --size) rest = _mm_crc32_u8(rest, static_cast<uint8_t>(*data));
  return ~rest;
}
#endif

Function Choose() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return ExtendByInstruction;
#endif
  void* library = dlsym(RTLD_NEXT, "_ZN7rocksdb6crc32c6ExtendEjPKcm");
  if (!library) abort();  // RocksDB was built without this function: nobody calls it
  return reinterpret_cast<Function>(library);
}

}  // namespace

uint32_t Extend(uint32_t checksum, const char* data, size_t size) {
  static const Function function = Choose();
  return function(checksum, data, size);
}

}  // namespace rocksdb::crc32c

namespace jobtail {

bool Crc32cIsSound() {
  constexpr std::string_view kText = "123456789";
  constexpr uint32_t kChecksum = 0xE3069283;  // the check value of CRC-32C in every catalogue
  return Crc32c(kText) == kChecksum;
}

uint32_t Crc32c(std::string_view bytes) {
  return rocksdb::crc32c::Extend(0, bytes.data(), bytes.size());
}

}  // namespace jobtail
