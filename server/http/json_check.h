// The check that a request's JSON can be read in one way only.
#ifndef JOBTAIL_SERVER_HTTP_JSON_CHECK_H_
#define JOBTAIL_SERVER_HTTP_JSON_CHECK_H_

#include <google/protobuf/descriptor.h>

#include <string_view>

#include "absl/status/status.h"

namespace jobtail::http {

// OK if `text` is one JSON value as RFC 8259 has it. The protobuf library, which then reads it, is
// more tolerant: it would choose among what is there, or mend it, and nothing that was sent is to
// be altered in silence. INVALID_ARGUMENT, with the place, for
// - what the grammar does not have: names and strings without double quotes, a comma too many,
//   something after the value;
// - two members of one name, where names by which `type`, the message of the value, knows one
//   field are the same ("requestId" and "request_id");
// - a number for a text that the library would write otherwise, such as 1e3, or null within a map;
// - text that is not UTF-8, or has half of a surrogate pair;
// - nesting deeper than any message needs.
absl::Status CheckJson(std::string_view text, const google::protobuf::Descriptor& type);

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_JSON_CHECK_H_
