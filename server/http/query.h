// The query of an address, and the fields of a message that it names.
#ifndef JOBTAIL_SERVER_HTTP_QUERY_H_
#define JOBTAIL_SERVER_HTTP_QUERY_H_

#include <google/protobuf/message.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace jobtail::http {

using Query = std::vector<std::pair<std::string, std::string>>;

// Whether `text` is UTF-8, as all text in a message has to be.
bool IsUtf8(std::string_view text);

// The field of that name, in the .proto or in JSON; null if there is none.
const google::protobuf::FieldDescriptor* FindField(const google::protobuf::Descriptor& type,
                                                   const std::string& name);

// "%41+b" as "A b"; a plus is a space only in a query. INVALID_ARGUMENT for a "%" that does not
// begin two hexadecimal digits.
absl::StatusOr<std::string> PercentDecode(std::string_view text, bool plus_is_space);

// What follows the "?", decoded.
absl::StatusOr<Query> ParseQuery(std::string_view text);

// Sets the message's fields that the query names, by their names in the .proto or in JSON, as
// grpc-gateway does: repeated fields by repetition, enums by name or number, times in RFC 3339.
// INVALID_ARGUMENT for an unknown name or a value that is none, for what is given twice, and for
// two fields of one oneof.
absl::Status SetFields(const Query& query, google::protobuf::Message* message);

// For a call whose fields are all in its body: INVALID_ARGUMENT if there is a query, which names
// what is out of place and where it belongs in a message of that type.
absl::Status CheckNoQuery(const Query& query, const google::protobuf::Descriptor& type);

// Sets the field that the path names; `name` is empty if it names none. INVALID_ARGUMENT if the
// message says another thing already.
absl::Status SetVariable(std::string_view name, const std::string& value,
                         google::protobuf::Message* message);

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_QUERY_H_
