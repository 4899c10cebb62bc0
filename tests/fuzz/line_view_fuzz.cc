// The client's reader of encoded batches against protobuf's parser.

#include <google/protobuf/stubs/logging.h>

#include <string>

#include "absl/types/span.h"
#include "client/line_view.h"
#include "tests/fuzz/fuzz.h"

namespace jobtail::client {
namespace {

using fuzz::Check;

void CheckSame(absl::Span<const LineView> views, const v1::LogBatch& batch) {
  Check(views.size() == static_cast<size_t>(batch.lines_size()), "both see as many lines");
  for (int i = 0; i < batch.lines_size(); ++i) {
    const LineView& view = views[i];
    const v1::LogLine& line = batch.lines(i);
    Check(view.sequence == line.sequence(), "same sequence");
    Check(view.stream == line.stream(), "same stream");
    Check(view.ending == line.ending(), "same ending");
    Check(line.has_text() || line.has_raw(), "a view is of text");
    Check(view.bytes == (line.has_text() ? line.text() : line.raw()), "same text");
    Check(view.time().SerializeAsString() == line.time().SerializeAsString(), "same time");
  }
}

// Whether it has lines alone, and each is what a server sends as a record with text.
bool IsOfRecordsWithText(const v1::LogBatch& batch) {
  if (batch.compressed_size() > 0) return false;
  for (const v1::LogLine& line : batch.lines()) {
    if (line.sequence() <= 0 || line.sequence() > kMaxSequence) return false;
    if (!(line.has_text() || line.has_raw())) return false;
  }
  return true;
}

void Run(const std::string& bytes) {
  LineViews views;
  const bool viewed = views.Parse({bytes});
  const size_t middle = bytes.size() / 2;
  LineViews cut;
  Check(cut.Parse({bytes.substr(0, middle), bytes.substr(middle)}) == viewed, "in two as in one");
  v1::LogBatch batch;
  // The library refuses text that is not UTF-8, and lengths in more bytes than they may take.
  if (!batch.ParseFromString(bytes)) return;
  if (viewed) CheckSame(views.lines(), batch);

  batch.DiscardUnknownFields();
  if (!IsOfRecordsWithText(batch)) return;
  const std::string written = batch.SerializeAsString();
  Check(views.Parse({written}), "what the library writes of records can be viewed");
  CheckSame(views.lines(), batch);
}

}  // namespace
}  // namespace jobtail::client

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  google::protobuf::SetLogHandler(nullptr);  // each text that is not UTF-8
  jobtail::client::Run(std::string(jobtail::fuzz::AsText(data, size)));
  return 0;
}
