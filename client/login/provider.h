// An OpenID Connect issuer, as the command line signs in with it.
#ifndef JOBTAIL_CLIENT_LOGIN_PROVIDER_H_
#define JOBTAIL_CLIENT_LOGIN_PROVIDER_H_

#include <functional>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/fetch/fetch.h"

namespace jobtail::client {

// What somebody is to be shown who signs in by another device (RFC 8628).
struct DeviceCode {
  std::string code = {};       // secret
  std::string user_code = {};  // to be typed there
  std::string address = {};
  std::string whole_address = {};  // with the code in it; empty: there is none
  absl::Duration expires = {};     // by the steady clock
  absl::Duration interval = absl::Seconds(5);
};

struct Tokens {
  std::string id_token = {};
  std::string refresh_token = {};  // empty: there is none
};

// Asks an issuer. Errors name the issuer and what to do: UNAVAILABLE if it cannot be asked,
// UNAUTHENTICATED where it refuses, FAILED_PRECONDITION for what it has not. Each call waits for
// the answer, at most ten seconds each. Not thread-safe.
class Provider {
 public:
  Provider(std::string issuer, std::string client_id, std::string ca_file)
      : issuer_(std::move(issuer)),
        client_id_(std::move(client_id)),
        ca_file_(std::move(ca_file)) {}

  // Before all others.
  absl::Status Discover();

  absl::StatusOr<DeviceCode> BeginSignIn(const std::string& scope);
  // Until somebody has signed in there, or refused, or the code has expired. `wait` lets time pass.
  absl::StatusOr<Tokens> AwaitSignIn(DeviceCode code,
                                     const std::function<void(absl::Duration)>& wait);

  // A refresh token that is not in the answer is still the old one.
  absl::StatusOr<Tokens> Refresh(const std::string& refresh_token);

  // Has the issuer forget it, if it can.
  absl::Status Revoke(const std::string& refresh_token);

 private:
  using Form = std::vector<std::pair<std::string, std::string>>;
  struct Answer {
    int status = 0;
    std::map<std::string, std::string> texts = {};  // of the JSON object, the members that are text
    std::map<std::string, double> numbers = {};
  };

  absl::StatusOr<Answer> Ask(const std::string& url, Form form);
  absl::Status Refusal(const Answer& answer, const std::string& what) const;
  absl::StatusOr<Tokens> ToTokens(const Answer& answer) const;
  absl::StatusOr<std::string> Endpoint(const std::string& name) const;

  const std::string issuer_;
  const std::string client_id_;
  const std::string ca_file_;
  Fetcher fetcher_;
  std::map<std::string, std::string> endpoints_;
};

// When a token (JWT) says that it expires; nothing is verified. The past if it does not say.
absl::Time ExpiryOf(const std::string& token);

}  // namespace jobtail::client

#endif  // JOBTAIL_CLIENT_LOGIN_PROVIDER_H_
