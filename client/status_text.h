// The telling part of an error message from gRPC or the server.
#ifndef JOBTAIL_CLIENT_STATUS_TEXT_H_
#define JOBTAIL_CLIENT_STATUS_TEXT_H_

#include <string>

#include "absl/status/status.h"

namespace jobtail::client {

// The message of `status` for people: of gRPC's messages about a failed connection only the last
// and telling part, and the code's name where there is no message. It may be the server's text:
// show it by Printable().
std::string StatusText(const absl::Status& status);

}  // namespace jobtail::client

#endif  // JOBTAIL_CLIENT_STATUS_TEXT_H_
