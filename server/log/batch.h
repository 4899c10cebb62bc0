// Encoded records that many share: a batch, and a slice of one.
#ifndef JOBTAIL_SERVER_LOG_BATCH_H_
#define JOBTAIL_SERVER_LOG_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace jobtail {

// Encoded records, never changed once shared: the store, the tail of the log and the transport of
// every reader refer to the same bytes. The pointer owns whatever the bytes lie in: a string, or a
// block in the cache of a store.
using SharedBytes = std::shared_ptr<const std::string_view>;

// Shares what `owner` holds, an object that `view_of` gives a std::string_view into.
template <typename Owner, typename ViewOf>
SharedBytes Share(Owner owner, ViewOf view_of) {
  struct Shared {
    Owner owner;
    std::string_view view;
  };
  auto shared = std::make_shared<Shared>();
  shared->owner = std::move(owner);
  shared->view = view_of(shared->owner);
  return {shared, &shared->view};
}

inline SharedBytes Share(std::string bytes) {
  return Share(std::move(bytes), [](const std::string& owner) { return std::string_view(owner); });
}

// Consecutive records of one log in their stored form, the encoding of a jobtail.v1.LogBatch.
struct Batch {
  int64_t first = 0;                 // sequence number of the first record
  int64_t last = 0;                  // sequence number of the last record, inclusive
  int64_t last_time_unix_nanos = 0;  // time of the last record; times never decrease within a log
  // What the job has printed up to the last record: RunResult.total_lines and total_bytes.
  int64_t total_lines = 0;
  int64_t total_bytes = 0;
  SharedBytes bytes;
  // The same as a block of LZ4 (see base/lz4_block.h), if somebody has made one; otherwise null.
  SharedBytes compressed = nullptr;
  // Somebody has tried, and it would not be smaller.
  bool is_incompressible = false;
};

// What a batch holds in memory, in bytes.
inline size_t HeldBytes(const Batch& batch) {
  return batch.bytes->size() + (batch.compressed ? batch.compressed->size() : 0);
}

// A part of an encoded LogBatch: whole elements of its field `lines`, one after the other, each
// with its tag. Or, for a reader that takes such, a block of LZ4 that stands for a whole batch.
struct Slice {
  SharedBytes buffer;
  size_t offset = 0;
  size_t size = 0;
  size_t decompressed_size = 0;  // of what a block stands for; 0: these are the elements

  std::string_view view() const& { return buffer->substr(offset, size); }
  std::string_view view() const&& = delete;  // would refer to what is gone
};

// A record may have 64 KiB of text. A batch is closed as soon as it has this many bytes, so that
// one never exceeds about twice that, far under gRPC's default limit of 4 MiB for a message.
inline constexpr size_t kBatchBytes = 128 << 10;

// What has so many bytes or fewer is small: it is stored beside what is large where that would hold
// it up.
inline constexpr size_t kSmallBytes = size_t{16} << 10;

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_BATCH_H_
