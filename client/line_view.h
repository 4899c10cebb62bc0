#ifndef JOBTAIL_CLIENT_LINE_VIEW_H_
#define JOBTAIL_CLIENT_LINE_VIEW_H_

#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "jobtail/v1/log.pb.h"

namespace jobtail::client {

// A LogLine with text, as it lies in the encoded batch that it came in: for who prints lines and has
// no need of a message for each, which costs more than all the rest.
struct LineView {
  int64_t sequence = 0;
  v1::Stream stream = v1::STREAM_UNSPECIFIED;
  v1::Ending ending = v1::ENDING_UNSPECIFIED;
  std::string_view text;          // `text` or `raw` of the LogLine
  std::string_view encoded_time;  // a google.protobuf.Timestamp

  google::protobuf::Timestamp time() const;
};

// Appends a view of each line of an encoded LogBatch, whose bytes the views refer to. Returns false,
// having appended whatever, where there is anything but records with text, or a field that this
// program does not know: then the batch is to be parsed as a message.
bool ViewLines(std::string_view batch, std::vector<LineView>* lines);

}  // namespace jobtail::client

#endif  // JOBTAIL_CLIENT_LINE_VIEW_H_
