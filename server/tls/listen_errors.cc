// The texts of errors in listening.
#include "server/tls/listen_errors.h"

#include "absl/strings/str_cat.h"

namespace jobtail {

absl::Status NoAddress(const std::string& text, const std::string& example) {
  return absl::InvalidArgumentError(absl::StrCat("address \"", text, "\": give HOST:PORT, such as ",
                                                 example,
                                                 "; port 0 picks a free one; or unix:PATH"));
}

absl::Status CannotListen(const std::string& address, const std::string& why,
                          const std::string& remedy) {
  return absl::UnavailableError(
      absl::StrCat("cannot listen on ", address, ": ", why, remedy.empty() ? "" : "; ", remedy));
}

}  // namespace jobtail
