// LogLine and LogBatch, encoded and decoded by hand.

#include "base/codec/log_line.h"

#include <google/protobuf/io/coded_stream.h>

#include <array>
#include <bit>
#include <cstring>

#include "base/codec/proto_time.h"
#include "base/codec/wire.h"
#include "base/utf8.h"

namespace jobtail {
namespace {

using google::protobuf::io::CodedOutputStream;

constexpr uint8_t kElementTag = BytesTag(v1::LogBatch::kLinesFieldNumber);

// Always from 0 up, before 1970 as well.
int64_t NanosOfSecond(int64_t unix_nanos) {
  const int64_t nanos = unix_nanos % kNanosPerSecond;
  return nanos < 0 ? nanos + kNanosPerSecond : nanos;
}

// Each writes at `to` and returns the end.

uint8_t* WriteVarint(int field, uint64_t value, uint8_t* to) {
  *to++ = static_cast<uint8_t>(VarintTag(field));
  return CodedOutputStream::WriteVarint64ToArray(value, to);
}

uint8_t* WriteLength(int field, size_t size, uint8_t* to) {
  *to++ = static_cast<uint8_t>(BytesTag(field));
  return CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(size), to);
}

uint8_t* WriteTime(int field, int64_t unix_nanos, uint8_t* to) {
  using google::protobuf::Timestamp;
  const int64_t nanos = NanosOfSecond(unix_nanos);
  const int64_t seconds = (unix_nanos - nanos) / kNanosPerSecond;
  uint8_t* const begin = WriteLength(field, 0, to);
  uint8_t* end = begin;
  if (seconds != 0) end = WriteVarint(Timestamp::kSecondsFieldNumber, seconds, end);
  if (nanos != 0) end = WriteVarint(Timestamp::kNanosFieldNumber, nanos, end);
  begin[-1] = static_cast<uint8_t>(end - begin);  // far less than what takes a second byte
  return end;
}

// What an element's tag and length take, if the rest has `size` bytes.
size_t ElementHeaderBytes(size_t size) {
  return 1 + CodedOutputStream::VarintSize32(static_cast<uint32_t>(size));
}

// The tag and length of an element of a LogBatch of `size` bytes, written so that they end at
// `end`. Returns where they begin.
uint8_t* WriteElementBefore(uint8_t* end, size_t size) {
  uint8_t* const begin = end - ElementHeaderBytes(size);
  WriteLength(v1::LogBatch::kLinesFieldNumber, size, begin);
  return begin;
}

constexpr size_t kMaxElementHeader = 1 + 5;

// What all of an element takes but its text: the header, and numbers of at most 10 bytes, each with
// a tag. MostEncodedBytes leaves as much room.
static_assert(kMaxElementHeader + 8 * 11 <= MostEncodedBytes({}));

// The same of nearly all lines, without the header: a number and a time of 4 to 5 bytes.
constexpr size_t kLikelyFields = 24;

// The 7-bit groups of a number below 2^56, the lowest first, in a byte each.
uint64_t Spread(uint64_t value) {
  value = (value & 0x0000'0000'0FFF'FFFF) | (value & 0x00FF'FFFF'F000'0000) << 4;
  value = (value & 0x0000'3FFF'0000'3FFF) | (value & 0x0FFF'C000'0FFF'C000) << 2;
  return (value & 0x007F'007F'007F'007F) | (value & 0x3F80'3F80'3F80'3F80) << 1;
}

// The highest bits of the first bytes of a varint of so many: more follow.
constexpr uint64_t MoreFollow(int bytes) {
  return 0x8080'8080'8080'8080 & ((uint64_t{1} << (8 * (bytes - 1))) - 1);
}

// By comparing: a field's size is nearly always that of the line before, which the processor
// foresees.
int VarintSize(uint64_t value) {
  int bytes = 1;
  while (value >= uint64_t{1} << (7 * bytes)) ++bytes;
  return bytes;
}

constexpr size_t kTwoByteLimit = 1 << 14;  // of what a varint of two bytes can be
constexpr size_t kMostFields = 40;         // more than all of a line takes but its text

// A varint of one or two bytes.
uint64_t ShortVarint(size_t value) {
  return value < 0x80 ? value : (value & 0x7F) | 0x80 | (value >> 7) << 8;
}
int ShortVarintSize(size_t value) { return value < 0x80 ? 1 : 2; }

// Writes 8 bytes, for which there must be room, of which some are overwritten by what comes next.
static_assert(kMostFields + sizeof(uint64_t) <= MostEncodedBytes({}));
uint8_t* Store(uint64_t bytes, int used, uint8_t* to) {
  memcpy(to, &bytes, sizeof bytes);
  return to + used;
}

std::string_view View(const uint8_t* begin, const uint8_t* end) {
  return {reinterpret_cast<const char*>(begin), static_cast<size_t>(end - begin)};
}

google::protobuf::Timestamp ByLibrary(std::string_view encoded) {
  google::protobuf::Timestamp time;
  if (!time.ParseFromArray(encoded.data(), static_cast<int>(encoded.size()))) time.Clear();
  return time;
}

template <typename Enum>
bool ReadEnum(WireReader* reader, Enum* value) {
  uint64_t number;
  if (!reader->ReadVarint(&number)) return false;
  *value = static_cast<Enum>(number);
  return true;
}

bool ReadSequence(WireReader* reader, int64_t* sequence) {
  uint64_t number;
  if (!reader->ReadVarint(&number) || number > static_cast<uint64_t>(kMaxSequence)) return false;
  *sequence = static_cast<int64_t>(number);
  return true;
}

// Of two messages in one field the library merges what they have.
bool ReadMessage(int field, WireReader* reader, LineView* line) {
  const auto content = static_cast<v1::LogLine::ContentCase>(field);
  if (line->content == content) return false;
  line->content = content;
  return reader->ReadBytes(&line->bytes);
}

bool ReadText(v1::LogLine::ContentCase content, WireReader* reader, LineView* line) {
  line->content = content;
  return reader->ReadBytes(&line->bytes);
}

bool ReadField(uint64_t tag, WireReader* reader, LineView* line) {
  switch (tag) {
    case VarintTag(v1::LogLine::kSequenceFieldNumber):
      return ReadSequence(reader, &line->sequence);
    case BytesTag(v1::LogLine::kTimeFieldNumber):
      return line->encoded_time.data() == nullptr && reader->ReadBytes(&line->encoded_time);
    case VarintTag(v1::LogLine::kStreamFieldNumber):
      return ReadEnum(reader, &line->stream);
    case VarintTag(v1::LogLine::kEndingFieldNumber):
      return ReadEnum(reader, &line->ending);
    case BytesTag(v1::LogLine::kTextFieldNumber):
      return ReadText(v1::LogLine::kText, reader, line);
    case BytesTag(v1::LogLine::kRawFieldNumber):
      return ReadText(v1::LogLine::kRaw, reader, line);
    case BytesTag(v1::LogLine::kRunFieldNumber):
    case BytesTag(v1::LogLine::kProgressFieldNumber):
    case BytesTag(v1::LogLine::kResultFieldNumber):
    case BytesTag(v1::LogLine::kGapFieldNumber):
    case BytesTag(v1::LogLine::kHeartbeatFieldNumber):
    case BytesTag(v1::LogLine::kCutFieldNumber):
      return ReadMessage(static_cast<int>(tag >> 3), reader, line);
    default:
      line->has_unknown_fields = true;
      return reader->SkipValue(tag);
  }
}

// Reads a line of text as EncodeLine writes it: each field once, in their order. False, with
// `*line` in any state, if it is another.
bool DecodeUsual(WireReader reader, LineView* line) {
  if (!reader.ReadTag(VarintTag(v1::LogLine::kSequenceFieldNumber)) ||
      !ReadSequence(&reader, &line->sequence) ||
      !reader.ReadTag(BytesTag(v1::LogLine::kTimeFieldNumber)) ||
      !reader.ReadBytes(&line->encoded_time) ||
      !reader.ReadTag(VarintTag(v1::LogLine::kStreamFieldNumber)) ||
      !ReadEnum(&reader, &line->stream) ||
      !reader.ReadTag(VarintTag(v1::LogLine::kEndingFieldNumber)) ||
      !ReadEnum(&reader, &line->ending)) {
    return false;
  }
  if (reader.ReadTag(BytesTag(v1::LogLine::kTextFieldNumber))) {
    line->content = v1::LogLine::kText;
  } else if (reader.ReadTag(BytesTag(v1::LogLine::kRawFieldNumber))) {
    line->content = v1::LogLine::kRaw;
  } else {
    return false;
  }
  return reader.ReadBytes(&line->bytes) && reader.AtEnd();
}

bool IsSameStream(v1::Stream a, v1::Stream b) {
  return (a == v1::STREAM_STDERR) == (b == v1::STREAM_STDERR);
}

}  // namespace

bool EndsLineOf(v1::Stream stream, const v1::LogLine& record) {
  if (record.has_text() || record.has_raw()) {
    return IsSameStream(record.stream(), stream) && EndsLine(record.ending());
  }
  return record.sequence() > 0 && record.gap().reason() != v1::GAP_REASON_OVERWRITTEN;
}

// The header of an element comes first and has the size of the rest: it is given the room that it
// will most likely take, and what follows is moved where that was wrong.
char* EncodeLine(int64_t sequence, int64_t time_unix_nanos, const TextLine& line, char* to) {
  auto* const begin = reinterpret_cast<uint8_t*>(to);
  const size_t likely_header = ElementHeaderBytes(line.text.size() + kLikelyFields);
  uint8_t* const fields = begin + likely_header;
  uint8_t* end = WriteVarint(v1::LogLine::kSequenceFieldNumber, sequence, fields);
  end = WriteTime(v1::LogLine::kTimeFieldNumber, time_unix_nanos, end);
  end = WriteVarint(v1::LogLine::kStreamFieldNumber, line.stream, end);
  end = WriteVarint(v1::LogLine::kEndingFieldNumber, line.ending, end);
  uint8_t* content = end;
  end = WriteLength(v1::LogLine::kTextFieldNumber, line.text.size(), end);
  const size_t size = static_cast<size_t>(end - fields) + line.text.size();
  if (const size_t header = ElementHeaderBytes(size); header != likely_header) [[unlikely]] {
    memmove(begin + header, fields, static_cast<size_t>(end - fields));
    content = begin + header + (content - fields);
    end = begin + header + (end - fields);
  }
  WriteLength(v1::LogBatch::kLinesFieldNumber, size, begin);
  char* const text = reinterpret_cast<char*>(end);
  if (!CopyAscii(line.text, text) && !IsUtf8(line.text)) {
    *content = static_cast<uint8_t>(BytesTag(v1::LogLine::kRawFieldNumber));
  }
  return text + line.text.size();
}

// Goes on from the line before. False for numbers that do not fit into a register as varints, and
// for times before the first second of 1970 has passed.
bool LineEncoder::Follow(int64_t sequence, int64_t time_unix_nanos) {
  constexpr uint64_t kGroup = 0x7F;
  if (sequence == sequence_ + 1 && (sequence_bytes_ & kGroup) != kGroup) [[likely]] {
    ++sequence_bytes_;
  } else {
    if (sequence < 1 || sequence >= int64_t{1} << 55) return false;
    sequence_size_ = VarintSize(sequence);
    sequence_bytes_ = Spread(sequence) | MoreFollow(sequence_size_);
  }
  sequence_ = sequence;
  const uint64_t since = static_cast<uint64_t>(time_unix_nanos) - static_cast<uint64_t>(second_);
  if (since >= kNanosPerSecond || second_size_ == 0) [[unlikely]] {
    const int64_t second = time_unix_nanos / kNanosPerSecond;
    if (second <= 0) return false;
    second_ = second * kNanosPerSecond;
    second_size_ = VarintSize(second);
    second_bytes_ = Spread(second) | MoreFollow(second_size_);
  }
  return true;
}

char* LineEncoder::Encode(int64_t sequence, int64_t time_unix_nanos, const TextLine& line,
                          char* to) {
  using google::protobuf::Timestamp;
  constexpr bool kFits = std::endian::native == std::endian::little;
  constexpr uint64_t kFourBytes = 1 << 21;
  constexpr uint64_t kFiveBytes = 1 << 28;
  const auto stream = static_cast<uint64_t>(line.stream);
  const auto ending = static_cast<uint64_t>(line.ending);
  const bool is_short = line.text.size() < kTwoByteLimit - kMostFields;
  if (!kFits || !is_short || (stream | ending) >= 0x80 || !Follow(sequence, time_unix_nanos)) {
    return EncodeLine(sequence, time_unix_nanos, line, to);
  }
  const auto nanos = static_cast<uint64_t>(time_unix_nanos - second_);
  if (nanos < kFourBytes) return EncodeLine(sequence, time_unix_nanos, line, to);
  const int nanos_size = nanos < kFiveBytes ? 4 : 5;
  const uint64_t nanos_bytes = Spread(nanos) | MoreFollow(nanos_size);
  const int time_size = 1 + second_size_ + 1 + nanos_size;
  const size_t text_size = line.text.size();
  const int text_size_size = ShortVarintSize(text_size);
  const size_t size = 1 + sequence_size_ + 2 + time_size + 4 + 1 + text_size_size + text_size;
  auto* at = reinterpret_cast<uint8_t*>(to);
  at = Store(kElementTag | ShortVarint(size) << 8, 1 + ShortVarintSize(size), at);
  *at++ = VarintTag(v1::LogLine::kSequenceFieldNumber);
  at = Store(sequence_bytes_, sequence_size_, at);
  *at++ = BytesTag(v1::LogLine::kTimeFieldNumber);
  *at++ = static_cast<uint8_t>(time_size);
  *at++ = VarintTag(Timestamp::kSecondsFieldNumber);
  at = Store(second_bytes_, second_size_, at);
  *at++ = VarintTag(Timestamp::kNanosFieldNumber);
  at = Store(nanos_bytes, nanos_size, at);
  constexpr uint64_t kTags =
      VarintTag(v1::LogLine::kStreamFieldNumber) | VarintTag(v1::LogLine::kEndingFieldNumber) << 16;
  at = Store(kTags | stream << 8 | ending << 24, 4, at);
  uint8_t* const content = at++;
  char* const text = reinterpret_cast<char*>(Store(ShortVarint(text_size), text_size_size, at));
  const bool is_utf8 = CopyAscii(line.text, text) || IsUtf8(line.text);
  *content = static_cast<uint8_t>(
      BytesTag(is_utf8 ? v1::LogLine::kTextFieldNumber : v1::LogLine::kRawFieldNumber));
  return text + text_size;
}

void EncodeLine(int64_t sequence, int64_t time_unix_nanos, const TextLine& line,
                std::string* batch) {
  const size_t before = batch->size();
  batch->resize(before + MostEncodedBytes(line));
  const char* const end = EncodeLine(sequence, time_unix_nanos, line, batch->data() + before);
  batch->resize(static_cast<size_t>(end - batch->data()));
}

void EncodeLine(const v1::LogLine& line, std::string* batch) {
  std::array<uint8_t, kMaxElementHeader> bytes;
  uint8_t* const end = bytes.data() + bytes.size();
  batch->append(View(WriteElementBefore(end, line.ByteSizeLong()), end));
  line.AppendToString(batch);
}

google::protobuf::Timestamp LineView::time() const {
  using google::protobuf::Timestamp;
  Timestamp time;
  WireReader reader(encoded_time);
  while (!reader.AtEnd()) {
    uint64_t tag;
    uint64_t number;
    if (!reader.ReadVarint(&tag) || !reader.ReadVarint(&number)) return ByLibrary(encoded_time);
    if (tag == VarintTag(Timestamp::kSecondsFieldNumber)) {
      time.set_seconds(static_cast<int64_t>(number));
    } else if (tag == VarintTag(Timestamp::kNanosFieldNumber)) {
      time.set_nanos(static_cast<int32_t>(number));
    } else {
      return ByLibrary(encoded_time);
    }
  }
  return time;
}

bool DecodeLine(std::string_view encoded, LineView* line) {
  *line = {};
  line->encoded = encoded;
  WireReader reader(encoded);
  if (DecodeUsual(reader, line)) return true;
  *line = {};
  line->encoded = encoded;
  while (!reader.AtEnd()) {
    uint64_t tag;
    if (!reader.ReadVarint(&tag) || !ReadField(tag, &reader, line)) return false;
  }
  return true;
}

bool EndsLineOf(v1::Stream stream, const LineView& record) {
  if (record.is_text()) return IsSameStream(record.stream, stream) && EndsLine(record.ending);
  v1::LogLine line;  // with what matters of other records
  line.set_sequence(record.sequence);
  if (record.content == v1::LogLine::kGap) {
    line.mutable_gap()->ParseFromArray(record.bytes.data(), static_cast<int>(record.bytes.size()));
  }
  return EndsLineOf(stream, line);
}

bool RecordWalker::Next() {
  WireReader reader(rest_);
  uint64_t tag;
  std::string_view payload;
  if (!reader.ReadVarint(&tag) || tag != kElementTag || !reader.ReadBytes(&payload)) return false;
  payload_ = payload;
  element_ = {rest_.data(), static_cast<size_t>(payload.end() - rest_.begin())};
  rest_.remove_prefix(element_.size());
  return true;
}

int64_t SequenceOf(std::string_view line) {
  WireReader reader(line);
  uint64_t tag;
  int64_t sequence;
  if (!reader.ReadVarint(&tag) || tag != VarintTag(v1::LogLine::kSequenceFieldNumber)) return 0;
  return ReadSequence(&reader, &sequence) ? sequence : 0;
}

int64_t TimeOf(std::string_view line) {
  LineView view;
  return DecodeLine(line, &view) ? ToUnixNanos(view.time()) : 0;
}

int64_t TimeOfFirst(std::string_view batch) {
  RecordWalker walker(batch);
  return walker.Next() ? TimeOf(walker.payload()) : 0;
}

}  // namespace jobtail
