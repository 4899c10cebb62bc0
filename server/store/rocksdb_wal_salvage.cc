// Reads and writes RocksDB's write-ahead log without RocksDB, which stops at some kinds of damage.
#include "server/store/rocksdb_wal_salvage.h"

#include <fcntl.h>
#include <rocksdb/write_batch.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/endian/conversion.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/store/crc32c.h"
#include "server/store/durable_file.h"

namespace jobtail {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBlockBytes = 32 << 10;
constexpr size_t kHeaderBytes = 7;  // checksum, length and type
constexpr size_t kLengthAt = 4;
constexpr size_t kTypeAt = 6;
constexpr size_t kBatchHeader = 12;
// What one write takes, with all that RocksDB joins to it. More is damage, whatever comes after it.
constexpr int64_t kMostTorn = 2 << 20;
constexpr char kDamagedFolder[] = "/damaged";

enum PieceType : unsigned char { kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

unsigned char* Bytes(char* text) { return reinterpret_cast<unsigned char*>(text); }
const unsigned char* Bytes(const char* text) {
  return reinterpret_cast<const unsigned char*>(text);
}

// Takes whatever a batch of writes can have.
class Everything : public rocksdb::WriteBatch::Handler {
 public:
  using Status = rocksdb::Status;
  using Slice = rocksdb::Slice;

  Status PutCF(uint32_t /*family*/, const Slice& /*key*/, const Slice& /*value*/) override {
    return Status::OK();
  }
  Status DeleteCF(uint32_t /*family*/, const Slice& /*key*/) override { return Status::OK(); }
  Status SingleDeleteCF(uint32_t /*family*/, const Slice& /*key*/) override { return Status::OK(); }
  Status DeleteRangeCF(uint32_t /*family*/, const Slice& /*begin*/, const Slice& /*end*/) override {
    return Status::OK();
  }
  Status MergeCF(uint32_t /*family*/, const Slice& /*key*/, const Slice& /*value*/) override {
    return Status::OK();
  }
  void LogData(const Slice& /*blob*/) override {}
  Status MarkNoop(bool /*empty_batch*/) override { return Status::OK(); }
};

// RocksDB stores checksums turned and shifted, so that one of bytes that hold checksums is sound.
uint32_t Masked(uint32_t checksum) { return (checksum >> 15 | checksum << 17) + 0xA282EAD8U; }

std::string EncodePiece(PieceType type, std::string_view payload) {
  std::string piece(kHeaderBytes, '\0');
  piece[kTypeAt] = static_cast<char>(type);
  boost::endian::store_little_u16(Bytes(&piece[kLengthAt]), static_cast<uint16_t>(payload.size()));
  const uint32_t checksum = ExtendCrc32c(Crc32c({&piece[kTypeAt], 1}), payload);
  boost::endian::store_little_u32(Bytes(piece.data()), Masked(checksum));
  piece.append(payload);
  return piece;
}

// Appends a record in pieces, as RocksDB does.
void AppendRecord(std::string_view record, std::string* file) {
  bool is_first = true;
  do {
    const size_t left = kBlockBytes - file->size() % kBlockBytes;
    if (left < kHeaderBytes) {
      file->append(left, '\0');
      continue;
    }
    const std::string_view payload = record.substr(0, left - kHeaderBytes);
    record.remove_prefix(payload.size());
    const bool is_last = record.empty();
    file->append(
        EncodePiece(is_first ? (is_last ? kFull : kFirst) : (is_last ? kLast : kMiddle), payload));
    is_first = false;
    if (is_last) return;
  } while (true);
}

}  // namespace

WalScan::WalScan(std::string_view file, uint64_t next) : file_(file), next_(next) {
  for (size_t begin = 0; begin < file.size(); begin += kBlockBytes) {
    ScanBlock(begin, std::min(begin + kBlockBytes, file.size()));
  }
  if (is_open_) Lose(open_begin_, file.size());
  pieces_.resize(complete_);
}

void WalScan::ScanBlock(size_t begin, size_t end) {
  size_t at = begin;
  while (end - at >= kHeaderBytes) {
    const char* const header = file_.data() + at;
    const size_t length = boost::endian::load_little_u16(Bytes(header + kLengthAt));
    const auto type = static_cast<unsigned char>(header[kTypeAt]);
    const std::string_view checked =
        file_.substr(at + kTypeAt, std::min(length + 1, end - at - kTypeAt));
    const bool is_sound = type >= kFull && type <= kLast && checked.size() == length + 1 &&
                          Masked(Crc32c(checked)) == boost::endian::load_little_u32(Bytes(header));
    if (!is_sound) {
      Lose(is_open_ ? open_begin_ : at, end);
      is_open_ = false;
      pieces_.resize(complete_);
      return;
    }
    const bool begins = type == kFull || type == kFirst;
    const bool ends = type == kFull || type == kLast;
    const size_t size = kHeaderBytes + length;
    if (begins == is_open_) {
      // The rest of the record before is missing, or the beginning of this one.
      Lose(is_open_ ? open_begin_ : at, begins ? at : at + size);
      is_open_ = false;
      pieces_.resize(complete_);
      if (!begins) {
        at += size;
        continue;
      }
    }
    if (begins) open_begin_ = at;
    is_open_ = !ends;
    pieces_.push_back({at, size, ends});
    at += size;
    if (!ends) continue;
    if (!EndRecord()) {
      Lose(open_begin_, at);
      pieces_.resize(complete_);
      continue;
    }
    complete_ = pieces_.size();
    ++records_;
    lost_within_ |= lost_bytes_ > 0;
  }
  // What is left of a whole block is too short for a piece, and has nothing in it.
  const bool is_padding = end - begin == kBlockBytes && file_.find_first_not_of('\0', at) >= end;
  if (at < end && !is_padding) Lose(at, end);
}

// Whether the record whose last piece has just been added is one: a batch of writes that continues
// what was before. Pieces of several records, each sound, can have come together.
bool WalScan::EndRecord() {
  std::string record;
  for (size_t i = complete_; i < pieces_.size(); ++i) {
    const Piece& piece = pieces_[i];
    record.append(file_.substr(piece.offset + kHeaderBytes, piece.size - kHeaderBytes));
  }
  if (record.size() < kBatchHeader) return false;
  const uint64_t sequence = boost::endian::load_little_u64(Bytes(record.data()));
  if (sequence < next_) return false;
  const rocksdb::WriteBatch batch(std::move(record));
  Everything everything;
  if (!batch.Iterate(&everything).ok()) return false;
  next_ = sequence + batch.Count();
  return true;
}

void WalScan::Lose(size_t begin, size_t end) {
  if (begin == end) return;
  if (lost_bytes_ == 0) lost_begin_ = begin;
  lost_bytes_ += static_cast<int64_t>(end - std::max(begin, lost_end_));
  lost_end_ = end;
}

std::string WalScan::Rewritten() const {
  std::string result;
  std::string record;
  for (const Piece& piece : pieces_) {
    record.append(file_.substr(piece.offset + kHeaderBytes, piece.size - kHeaderBytes));
    if (!piece.ends) continue;
    AppendRecord(record, &result);
    record.clear();
  }
  return result;
}

namespace {

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags)
      : fd_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

absl::Status SystemError(const std::string& path, const char* what) {
  const std::string message =
      absl::StrCat("write-ahead log ", path, ": cannot be ", what, ": ", strerror(errno));
  if (errno == ENOSPC || errno == EDQUOT) {
    return absl::ResourceExhaustedError(absl::StrCat(message, "; make room on the disk"));
  }
  return absl::UnavailableError(message);
}

// All of a file. Blocks that the disk does not give are zeroes, where that is damage.
absl::Status ReadFile(const std::string& path, ReadErrors errors, std::string* content) {
  const Descriptor file(path, O_RDONLY);
  struct stat info;
  if (file.get() < 0 || fstat(file.get(), &info) != 0) return SystemError(path, "opened");
  content->assign(static_cast<size_t>(info.st_size), '\0');
  for (size_t at = 0; at < content->size();) {
    const size_t size = std::min(kBlockBytes - at % kBlockBytes, content->size() - at);
    const ssize_t got = pread(file.get(), content->data() + at, size, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno != EIO || errors == ReadErrors::kPass)) return SystemError(path, "read");
    at += got > 0 ? static_cast<size_t>(got) : size;
  }
  return absl::OkStatus();
}

// Gives the file another name, beside its own, under which nobody looks for it.
absl::Status KeepAside(const std::string& directory, const std::string& name, std::string* aside) {
  const std::string folder = directory + kDamagedFolder;
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return SystemError(folder, "made");
  for (int number = 1;; ++number) {
    *aside = absl::StrCat(folder, "/", name, ".", number);
    if (link(absl::StrCat(directory, "/", name).c_str(), aside->c_str()) == 0) break;
    if (errno != EEXIST) return SystemError(*aside, "made");
  }
  return SyncNames(folder) ? absl::OkStatus() : SystemError(folder, "synced");
}

absl::Status CutOff(const std::string& path, size_t size) {
  const Descriptor file(path, O_WRONLY);
  const bool done = file.get() >= 0 && ftruncate(file.get(), static_cast<off_t>(size)) == 0 &&
                    fsync(file.get()) == 0;
  return done ? absl::OkStatus() : SystemError(path, "cut off");
}

absl::Status SalvageWal(const std::string& directory, const std::string& name, ReadErrors errors,
                        uint64_t* next) {
  const std::string path = absl::StrCat(directory, "/", name);
  std::string content;
  if (absl::Status read = ReadFile(path, errors, &content); !read.ok()) return read;
  const WalScan scan(content, *next);
  *next = scan.next();
  if (scan.is_sound()) return absl::OkStatus();
  if (scan.is_torn() && scan.lost_bytes() <= kMostTorn) {
    spdlog::warn(
        "write-ahead log {}: its end, {} bytes from {} on, was never written completely, "
        "and is cut off",
        path, scan.lost_bytes(), scan.lost_begin());
    return CutOff(path, scan.lost_begin());
  }
  std::string aside;
  if (absl::Status kept = KeepAside(directory, name, &aside); !kept.ok()) return kept;
  if (!WriteDurably(directory, name, scan.Rewritten())) {
    absl::Status status = SystemError(path, "written anew");
    std::error_code error;
    if (fs::equivalent(path, aside, error)) unlink(aside.c_str());  // it still has its own name
    return status;
  }
  spdlog::error(
      "write-ahead log {}: damaged; {} bytes between {} and {} are lost, and {} writes "
      "before and after them are not; gaps are in the place of what is missing from logs, "
      "and the damaged file is kept as {}",
      path, scan.lost_bytes(), scan.lost_begin(), scan.lost_end(), scan.records(), aside);
  return absl::OkStatus();
}

}  // namespace

absl::Status SalvageWals(const std::string& directory, ReadErrors errors) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator file(directory, error), end; !error && file != end;
       file.increment(error)) {
    std::string name = file->path().filename().string();
    const std::string_view number = std::string_view(name).substr(0, name.find('.'));
    if (absl::EndsWith(name, ".log") && !number.empty() && number.size() + 4 == name.size() &&
        std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; })) {
      names.push_back(std::move(name));
    }
  }
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("data directory ", directory, ": cannot be listed: ", error.message()));
  }
  std::ranges::sort(names, {}, [](const std::string& name) {  // by number: more digits are more
    return std::pair<size_t, std::string_view>(name.size(), name);
  });
  uint64_t next = 0;  // in the order of their names: each continues the one before
  for (const std::string& name : names) {
    absl::Status salvaged = SalvageWal(directory, name, errors, &next);
    if (!salvaged.ok()) return salvaged;
  }
  return absl::OkStatus();
}

}  // namespace jobtail
