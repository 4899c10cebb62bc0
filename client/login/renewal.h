// A login that is used by a command, renewed where it is about to expire.
#ifndef JOBTAIL_CLIENT_LOGIN_RENEWAL_H_
#define JOBTAIL_CLIENT_LOGIN_RENEWAL_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace jobtail::client {

// So long before its end a token is renewed.
inline constexpr absl::Duration kRenewBefore = absl::Minutes(1);

// The file of the server's login, fit to be a token file; "" if nobody has signed in there.
// UNAUTHENTICATED for one that has expired and cannot be renewed. May wait for the issuer, and for
// other processes that renew the same login: a refresh token is often good for once.
absl::StatusOr<std::string> FreshLogin(const std::string& server);

// For ResumeOptions::renew_credentials of one reader, on a channel whose token file is that
// login's: OK if the file has another token than when this was made or last called, by this process
// or by another. UNAVAILABLE if the issuer cannot be asked at the moment, UNAUTHENTICATED if the
// login is over. Waits as FreshLogin does.
std::function<absl::Status()> LoginRenewal(const std::string& server);

// FreshLogin without waiting for anything; "" also for one that has expired.
std::string ValidLogin(const std::string& server);

}  // namespace jobtail::client

#endif  // JOBTAIL_CLIENT_LOGIN_RENEWAL_H_
