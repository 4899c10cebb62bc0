// Text as JSON.
#ifndef JOBTAIL_SERVER_HTTP_JSON_TEXT_H_
#define JOBTAIL_SERVER_HTTP_JSON_TEXT_H_

#include <string>
#include <string_view>

namespace jobtail::http {

// Appends `text`, which is UTF-8, as a string in JSON, in quotes. What the protobuf library escapes
// is escaped here, too: besides what JSON demands that is "<" and ">", so that the text is harmless
// within HTML, and characters that are invisible or change the direction of writing.
void AppendJsonText(std::string_view text, std::string* json);

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_JSON_TEXT_H_
