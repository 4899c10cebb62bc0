#ifndef JOBTAIL_SERVER_HTTP_FRAMING_H_
#define JOBTAIL_SERVER_HTTP_FRAMING_H_

#include "absl/status/status.h"
#include "server/http/responses.h"

namespace jobtail::http {

// Looks at a request's header before anything is done with it. INVALID_ARGUMENT for one whose
// length, host or address another program could read otherwise than this one. An address that names
// a host, "http://host/path" as proxies are asked, becomes the path and the header Host, which it
// replaces (RFC 9112, 3.2.2).
absl::Status CheckFraming(Message* request);

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_FRAMING_H_
