// RocksDB's checksum of its write-ahead log, computed with the processor's instruction: for
// programs that link RocksDB as a shared library and want it, in place of Debian's, which computes
// it from tables. The dynamic linker gives a program's definition to the library. This is no part
// of jobtail's libraries: where RocksDB is linked statically, the linker would report the name
// twice. See docs/decisions/0010.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "server/store/crc32c.h"

namespace rocksdb::crc32c {

// As in RocksDB's util/crc32c.h, which is not installed.
uint32_t Extend(uint32_t checksum, const char* data, size_t size);

uint32_t Extend(uint32_t checksum, const char* data, size_t size) {
  return jobtail::ExtendCrc32c(checksum, {data, size});
}

}  // namespace rocksdb::crc32c
