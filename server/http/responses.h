// Requests and responses of Beast, and what they are to the API.
#ifndef JOBTAIL_SERVER_HTTP_RESPONSES_H_
#define JOBTAIL_SERVER_HTTP_RESPONSES_H_

#include <string>
#include <string_view>
#include <vector>

#include "server/http/api.h"
#include "server/http/asio.h"
#include "server/http/options.h"
#include "server/http/static_files.h"

namespace jobtail::http {

// Makes messages of answers: which header they have is decided here.

using Message = beast::http::request<beast::http::string_body>;
using Response = beast::http::response<beast::http::string_body>;
using StreamHeader = beast::http::response<beast::http::empty_body>;

// What follows "?" in a request's target, and what goes before it.
std::string_view PathOf(const Message& request);
std::string_view QueryOf(const Message& request);

// The value of a header field; empty if there is none. For fields that CheckUnambiguous lets be
// there once.
std::string_view Field(const Message& request, std::string_view name);

// The values of all header fields of that name, in their order.
std::vector<std::string> ValuesOf(const Message& request, std::string_view name);

// The value of a field that is a list, which may be spread over several header fields of that name:
// they are one list (RFC 9110, 5.3).
std::string ListField(const Message& request, std::string_view name);

// The request as the API wants it.
Request ToRequest(const Message& request);

Response MakeResponse(const Message& request, Reply reply, const HttpOptions& options);
StreamHeader MakeStreamHeader(const Message& request, const Reply& reply,
                              const HttpOptions& options);
// 304 if the client has it.
Response MakeFileResponse(const Message& request, const StaticFile& file);
// What a browser asks before a page of another origin may use the API, and who wants to know which
// methods there are: `allowed`.
Response MakePreflight(const Message& request, const HttpOptions& options,
                       const std::string& allowed);

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_RESPONSES_H_
