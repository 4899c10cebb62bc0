// The header Accept and the format that it chooses.
#ifndef JOBTAIL_SERVER_HTTP_ACCEPT_H_
#define JOBTAIL_SERVER_HTTP_ACCEPT_H_

#include <optional>
#include <string_view>

#include "server/http/rendering.h"

namespace jobtail::http {

// The form of a stream that a request's Accept header prefers; nullopt if it takes none of ours.
// `fallback` is for those to whom everything is alike, such as curl.
std::optional<Format> ChooseFormat(std::string_view accept, Format fallback);

std::string_view ContentType(Format format);

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_ACCEPT_H_
