#ifndef JOBTAIL_SERVER_LOG_CRC32C_H_
#define JOBTAIL_SERVER_LOG_CRC32C_H_

#include <cstdint>
#include <string_view>

namespace jobtail {

// RocksDB as Debian builds it computes CRC-32C from tables, for any processor; for a log that is
// written as fast as it comes, that is a seventh of the server's time. This file's other half
// defines rocksdb::crc32c::Extend in the program, in place of the library's, with the processor's
// own instruction where it has one; elsewhere it calls the library's. The checksums are the same.
// See docs/decisions/0010.
//
// Whether the function that the library calls gives the right checksum for a known text. To be
// asked before a database is opened: it is also what brings the function into the program.
bool Crc32cIsSound();

// The checksum of `bytes`, by the same function.
uint32_t Crc32c(std::string_view bytes);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_CRC32C_H_
