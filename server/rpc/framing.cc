// Framing of batches, of single lines and of runs.
#include "server/rpc/framing.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "jobtail/v1/log.pb.h"
#include "server/rpc/byte_buffer.h"

namespace jobtail {
namespace {

// After so many messages that may wait for others, one is sent at once. Of short lines these are
// 30 KB, half of what gRPC lets wait.
constexpr int64_t kHintedInARow = 255;

// What goes before a block of LZ4 to make a LogBatch's element `compressed` of it.
grpc::Slice HeaderOf(const Slice& block) {
  using google::protobuf::internal::WireFormatLite;
  using google::protobuf::io::CodedOutputStream;
  v1::CompressedBatch described;  // all but its data, which is its last field
  described.set_compression(v1::COMPRESSION_LZ4_BLOCK);
  described.set_size(static_cast<int64_t>(block.decompressed_size));
  const auto data_size = static_cast<uint32_t>(block.size);
  const uint32_t data_tag = WireFormatLite::MakeTag(v1::CompressedBatch::kDataFieldNumber,
                                                    WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
  const size_t size = described.ByteSizeLong() + CodedOutputStream::VarintSize32(data_tag) +
                      CodedOutputStream::VarintSize32(data_size) + block.size;
  std::string header;
  google::protobuf::io::StringOutputStream stream(&header);
  {
    CodedOutputStream out(&stream);
    out.WriteTag(WireFormatLite::MakeTag(v1::LogBatch::kCompressedFieldNumber,
                                         WireFormatLite::WIRETYPE_LENGTH_DELIMITED));
    out.WriteVarint32(static_cast<uint32_t>(size));
    described.SerializeToCodedStream(&out);
    out.WriteTag(data_tag);
    out.WriteVarint32(data_size);
  }
  return grpc::Slice(header);
}

}  // namespace

absl::Status BatchFraming::Take(std::vector<Slice>* slices) {
  slices_.swap(*slices);
  return absl::OkStatus();
}

bool BatchFraming::Next(grpc::ByteBuffer* message, grpc::WriteOptions* options) {
  if (slices_.empty()) return false;
  std::vector<grpc::Slice> parts;
  parts.reserve(slices_.size() + 1);
  for (const Slice& slice : slices_) {
    if (slice.decompressed_size > 0) parts.push_back(HeaderOf(slice));
    parts.push_back(ToGrpcSlice(slice));
  }
  *message = grpc::ByteBuffer(parts.data(), parts.size());
  slices_.clear();
  return true;
}

std::optional<grpc::ByteBuffer> BatchFraming::Heartbeat(const Slice& heartbeat) const {
  return ToByteBuffer({heartbeat});
}

absl::Status LineFraming::Take(std::vector<Slice>* slices) {
  slices_.swap(*slices);
  at_ = 0;
  return NextLine() ? absl::OkStatus() : absl::DataLossError("a stored batch cannot be read");
}

// Moves to the next line of what was read. Once there is none, holds on to nothing.
bool LineFraming::NextLine() {
  while (!(has_line_ = walker_.Next())) {
    if (at_ == slices_.size()) {
      walker_ = RecordWalker({});
      lines_ = grpc::Slice();
      slices_.clear();
      at_ = 0;
      return false;
    }
    lines_ = ToGrpcSlice(slices_[at_]);
    walker_ = RecordWalker(slices_[at_].view());
    ++at_;
  }
  return true;
}

bool LineFraming::Next(grpc::ByteBuffer* message, grpc::WriteOptions* options) {
  if (!has_line_) return false;
  const std::string_view line = walker_.payload();
  const size_t offset = line.data() - reinterpret_cast<const char*>(lines_.begin());
  const grpc::Slice part = lines_.sub(offset, offset + line.size());
  *message = grpc::ByteBuffer(&part, 1);
  last_sent_ = std::max(last_sent_, SequenceOf(line));
  // Never hint the last line there is: nothing would push it out.
  if (NextLine() && hinted_ < kHintedInARow) {
    options->set_buffer_hint();
    ++hinted_;
  } else {
    hinted_ = 0;
  }
  return true;
}

std::optional<int64_t> LineFraming::ResumePointWithin() const {
  if (!has_line_) return std::nullopt;
  return last_sent_ + 1;
}

std::optional<grpc::ByteBuffer> LineFraming::Heartbeat(const Slice& heartbeat) const {
  RecordWalker walker(heartbeat.view());
  if (!walker.Next()) return std::nullopt;
  const size_t header = walker.element().size() - walker.payload().size();
  return ToByteBuffer({{heartbeat.buffer, heartbeat.offset + header, walker.payload().size()}});
}

absl::Status RunFraming::Take(std::vector<Slice>* slices) {
  slices_.swap(*slices);
  at_ = 0;
  return absl::OkStatus();
}

bool RunFraming::Next(grpc::ByteBuffer* message, grpc::WriteOptions* options) {
  if (at_ == slices_.size()) return false;
  *message = ToByteBuffer({slices_[at_++]});
  return true;
}

}  // namespace jobtail
