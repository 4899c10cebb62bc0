// What is checked of a request's header before anything is done with it.
#ifndef JOBTAIL_SERVER_HTTP_REQUEST_CHECK_H_
#define JOBTAIL_SERVER_HTTP_REQUEST_CHECK_H_

#include "absl/status/status.h"
#include "server/http/responses.h"

namespace jobtail::http {

// INVALID_ARGUMENT for a request whose length, address or header another program could read
// otherwise than this one: a field that is no list and is there more than once, too. An address
// that names a host, "http://host/path" as proxies are asked, becomes the path and the header Host,
// which it replaces (RFC 9112, 3.2.2).
absl::Status CheckUnambiguous(Message* request);

// INVALID_ARGUMENT for a request whose body is not text in UTF-8 as it stands: one that is
// compressed, or in another charset. Nothing here would undo that.
absl::Status CheckEncoding(const Message& request);

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_REQUEST_CHECK_H_
