// What is said of an address at which a server cannot listen, whichever door it was to be.
#ifndef JOBTAIL_SERVER_TLS_LISTEN_ERRORS_H_
#define JOBTAIL_SERVER_TLS_LISTEN_ERRORS_H_

#include <string>

#include "absl/status/status.h"

namespace jobtail {

// INVALID_ARGUMENT: `text` is no address; `example` is one.
absl::Status NoAddress(const std::string& text, const std::string& example);

// UNAVAILABLE: why `address` cannot be listened at, and what to do about it, if that is not clear.
absl::Status CannotListen(const std::string& address, const std::string& why,
                          const std::string& remedy = "");

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_TLS_LISTEN_ERRORS_H_
