// Views of the lines in an encoded batch, without messages.
#ifndef JOBTAIL_CLIENT_LINE_VIEW_H_
#define JOBTAIL_CLIENT_LINE_VIEW_H_

#include <string_view>
#include <vector>

#include "base/codec/log_line.h"

namespace jobtail::client {

// A LogLine as it lies in the encoded batch that it came in.
using jobtail::LineView;

// Appends a view of each line of an encoded LogBatch, whose bytes the views refer to: for who
// prints lines and has no need of a message for each, which costs more than all the rest.
//
// False, having appended whatever, where there is anything but records with text, a field that this
// program does not know, or bytes that the codec does not take: then the batch is to be parsed as a
// message. Does not look at whether the text is UTF-8.
bool ViewLines(std::string_view batch, std::vector<LineView>* lines);

}  // namespace jobtail::client

#endif  // JOBTAIL_CLIENT_LINE_VIEW_H_
