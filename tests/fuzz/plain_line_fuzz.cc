// What a search takes for lines of text, read and skipped, against protobuf's parser.

#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <memory>
#include <string>

#include "server/log/plain_line.h"
#include "server/log/record.h"
#include "tests/fuzz/fuzz.h"

namespace jobtail {
namespace {

using fuzz::Check;

void CheckRead(std::string_view payload) {
  PlainLine plain;
  if (!ReadPlainLine(payload, &plain) || !IsSound(plain)) return;
  v1::LogLine line;
  Check(line.ParseFromArray(payload.data(), static_cast<int>(payload.size())),
        "protobuf takes a sound line for one");
  Check(line.stream() == plain.stream, "same stream");
  Check(plain.is_raw ? line.has_raw() : line.has_text(), "same kind of text");
  Check(plain.text == (plain.is_raw ? line.raw() : line.text()), "same text");
  google::protobuf::Timestamp time;
  Check(time.ParseFromArray(plain.time.data(), static_cast<int>(plain.time.size())),
        "a sound time is one");
  Check(time.SerializeAsString() == line.time().SerializeAsString(), "same time");
}

void CheckSkipped(std::string_view bytes) {
  // So that the sanitizer sees a look behind the end.
  const auto exact = std::make_unique<char[]>(bytes.size());
  std::ranges::copy(bytes, exact.get());
  const char* const last = exact.get() + bytes.size();
  const char* const end = SkipPlainLine(exact.get(), last);
  if (!end) return;
  const char* const behind = SkipPlainLine(end, last);
  const char* skipped = nullptr;
  const char* const next =
      PlainLineSkipper().Skip(exact.get(), std::min(end + 1, last), last, &skipped);
  Check(next == (behind ? behind : end), "two in a row are skipped as by themselves");
  Check(skipped == (behind ? end : exact.get()), "and the last is known");
  RecordWalker walker(std::string_view(exact.get(), bytes.size()));
  PlainLine line;
  Check(walker.Next(), "what is skipped is an element");
  Check(walker.element().data() + walker.element().size() == end, "and the whole of it");
  Check(ReadPlainLine(walker.payload(), &line), "which is read as a line");
}

}  // namespace
}  // namespace jobtail

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  google::protobuf::SetLogHandler(nullptr);  // each text that is not UTF-8
  const std::string_view bytes = jobtail::fuzz::AsText(data, size);
  jobtail::CheckSkipped(bytes);
  jobtail::CheckRead(bytes);
  if (size > 2) jobtail::CheckRead(bytes.substr(2));  // of an element with a short length
  return 0;
}
