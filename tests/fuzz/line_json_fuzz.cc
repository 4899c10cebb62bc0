// The codec's own way from an encoded record to JSON against protobuf's.

#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/util/json_util.h>

#include <string>

#include "base/codec/line_json.h"
#include "base/utf8.h"
#include "tests/fuzz/fuzz.h"

namespace jobtail {
namespace {

using fuzz::Check;

// Of a time that JSON can say, and values that the enums have, as all of our records are.
bool IsPlausible(const v1::LogLine& line) {
  constexpr int64_t kYear2262 = 9'223'372'036;  // the last that counts in nanoseconds
  const auto& time = line.time();
  return line.has_time() && time.seconds() >= 0 && time.seconds() < kYear2262 &&
         time.nanos() >= 0 && time.nanos() < 1'000'000'000 && line.sequence() > 0 &&
         line.sequence() <= kMaxSequence && v1::Stream_IsValid(line.stream()) &&
         line.stream() != v1::STREAM_UNSPECIFIED && v1::Ending_IsValid(line.ending()) &&
         line.ending() != v1::ENDING_UNSPECIFIED && (line.has_text() || line.has_raw());
}

void CheckJson(const v1::LogLine& line) {
  const std::string encoded = line.SerializeAsString();
  LineView view;
  Check(DecodeLine(encoded, &view), "what the library writes can be taken apart");
  Check(view.sequence == line.sequence() && view.stream == line.stream() &&
            view.ending == line.ending() && view.content == line.content_case(),
        "and is the same");
  std::string ours, theirs;
  LineJsonWriter(JsonFields::kSet).Append(view, &ours);
  Check(google::protobuf::util::MessageToJsonString(line, &theirs).ok(), "the library knows JSON");
  Check(ours == theirs, "both write the same JSON", ours + "\n" + theirs);
}

void Run(std::string_view bytes) {
  LineView view;
  if (DecodeLine(bytes, &view)) {
    Check(view.bytes.empty() ||
              (view.bytes.data() >= bytes.data() &&
               view.bytes.data() + view.bytes.size() <= bytes.data() + bytes.size()),
          "the view is of what it was given");
  }
  v1::LogLine line;
  if (line.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    line.DiscardUnknownFields();
    if (IsPlausible(line)) CheckJson(line);
  }
  // The bytes once more, as what a job printed.
  line.Clear();
  line.set_sequence(1);
  line.mutable_time()->set_seconds(1);
  line.set_stream(v1::STREAM_STDOUT);
  line.set_ending(v1::ENDING_LF);
  line.set_text(ToUtf8(bytes, bytes.size()));
  CheckJson(line);
  line.set_raw(std::string(bytes));
  CheckJson(line);
}

}  // namespace
}  // namespace jobtail

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  google::protobuf::SetLogHandler(nullptr);  // each text that is not UTF-8
  jobtail::Run(jobtail::fuzz::AsText(data, size));
  return 0;
}
