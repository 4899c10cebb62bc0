// The checksum of the journal: CRC-32C, with the processor's instruction for it where there is one.
#ifndef JOBTAIL_SERVER_STORE_CRC32C_H_
#define JOBTAIL_SERVER_STORE_CRC32C_H_

#include <cstdint>
#include <string_view>

namespace jobtail {

// The checksum of A and `bytes`, one after the other, from that of A; of nothing it is 0. The same
// on every machine, and the same as RocksDB's. Thread-safe.
uint32_t ExtendCrc32c(uint32_t checksum, std::string_view bytes);

inline uint32_t Crc32c(std::string_view bytes) { return ExtendCrc32c(0, bytes); }

// The same by a table, as it is computed where there is no instruction; for tests.
uint32_t ExtendCrc32cByTable(uint32_t checksum, std::string_view bytes);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_CRC32C_H_
