// What can be saved of write-ahead logs that are damaged, before RocksDB reads them.
#ifndef JOBTAIL_SERVER_STORE_ROCKSDB_WAL_SALVAGE_H_
#define JOBTAIL_SERVER_STORE_ROCKSDB_WAL_SALVAGE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace jobtail {

// The records of one write-ahead log, and what lies between them that is none. The format is
// RocksDB's: blocks of 32 KiB, in which pieces of records lie, each with a checksum, a length and a
// type (github.com/facebook/rocksdb/wiki/Write-Ahead-Log-File-Format).
class WalScan {
 public:
  struct Piece {
    size_t offset;  // in the file, of the piece's header
    size_t size;    // of header and payload
    bool ends;      // a record
  };

  // Looks through all of a file. Where a piece is not sound, the rest of its block is left out, as
  // are the other pieces of its record. So is a record whose sequence number is below `next`, or
  // below that of a record before it: after a loss of power, blocks of a log that was deleted long
  // ago may lie in the file, sound as they are.
  explicit WalScan(std::string_view file, uint64_t next = 0);

  // Whether the file is nothing but records.
  bool is_sound() const { return lost_bytes_ == 0; }

  // Whether nothing of a record comes after what is not sound: a write that was never finished.
  bool is_torn() const { return !is_sound() && !lost_within_; }

  int64_t lost_bytes() const { return lost_bytes_; }
  // Where they are: the first of them, and one past the last.
  size_t lost_begin() const { return lost_begin_; }
  size_t lost_end() const { return lost_end_; }

  size_t records() const { return records_; }
  // The sequence number that comes after all of them, if there are any, or else `next`.
  uint64_t next() const { return next_; }

  // A file with the same records, and nothing else.
  std::string Rewritten() const;

 private:
  void ScanBlock(size_t begin, size_t end);
  bool EndRecord();
  void Lose(size_t begin, size_t end);

  const std::string_view file_;
  std::vector<Piece> pieces_;
  size_t complete_ = 0;       // so many of the pieces belong to complete records
  size_t open_begin_ = 0;     // where the record began whose end has not come yet
  bool is_open_ = false;      // there is one
  bool lost_within_ = false;  // a record comes after what was lost
  int64_t lost_bytes_ = 0;
  size_t lost_begin_ = 0;
  size_t lost_end_ = 0;
  size_t records_ = 0;
  uint64_t next_;
};

// What it means that the disk does not give a part of a write-ahead log.
enum class ReadErrors {
  kAreDamage,  // it never will
  kPass,       // it may later: what was taken from a running server must not be given up
};

// Makes the write-ahead logs in a RocksDB directory such that RocksDB can read them. What is sound
// stays; a damaged file is kept aside in the folder "damaged", and the server's log says what is
// missing. What was torn off at the end is cut off. Changes nothing where nothing is wrong. Only
// for who has the directory for itself.
//
// UNAVAILABLE or RESOURCE_EXHAUSTED where a file cannot be read or written; then nothing is lost.
absl::Status SalvageWals(const std::string& directory, ReadErrors errors);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_ROCKSDB_WAL_SALVAGE_H_
