// Blocks of LZ4 into one piece of memory.
#include "client/decompressor.h"

#include <cstdint>

#include "base/lz4_block.h"

namespace jobtail::client {
namespace {

// Nullopt if it is too much, or cannot be.
std::optional<size_t> SizeOf(const v1::LogBatch& batch) {
  size_t all = 0;
  for (const v1::CompressedBatch& each : batch.compressed()) {
    if (each.compression() != v1::COMPRESSION_LZ4_BLOCK || each.size() < 0) return std::nullopt;
    const auto size = static_cast<size_t>(each.size());
    if (size > kMostDecompressed - all || !CanBeLz4Of(each.data().size(), size)) {
      return std::nullopt;
    }
    all += size;
  }
  return all;
}

}  // namespace

std::optional<std::string_view> Decompressor::Decompress(const v1::LogBatch& batch) {
  const std::optional<size_t> all = SizeOf(batch);
  if (!all) return std::nullopt;
  if (size_ < *all) {
    memory_ = std::make_unique_for_overwrite<char[]>(*all);
    size_ = *all;
  }
  size_t at = 0;
  for (const v1::CompressedBatch& each : batch.compressed()) {
    const auto size = static_cast<size_t>(each.size());
    if (!DecodeLz4(each.data(), memory_.get() + at, size)) return std::nullopt;
    at += size;
  }
  return std::string_view(memory_.get(), *all);
}

}  // namespace jobtail::client
