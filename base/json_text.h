// A JSON string literal of some text, escaped as the protobuf library escapes it.
#ifndef JOBTAIL_BASE_JSON_TEXT_H_
#define JOBTAIL_BASE_JSON_TEXT_H_

#include <string>
#include <string_view>

namespace jobtail {

// Appends `text`, which is UTF-8, as a string in JSON, in quotes. What the protobuf library escapes
// is escaped here, too: besides what JSON demands that is "<" and ">", so that the text is harmless
// within HTML, and characters that are invisible or change the direction of writing.
void AppendJsonText(std::string_view text, std::string* json);

}  // namespace jobtail

#endif  // JOBTAIL_BASE_JSON_TEXT_H_
