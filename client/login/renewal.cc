// Renewing by the refresh token, one process at a time.

#include "client/login/renewal.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/quoting.h"
#include "client/login/login_file.h"
#include "client/login/provider.h"

namespace jobtail::client {
namespace {

absl::Status Expired(const std::string& server, const std::string& why) {
  return absl::UnauthenticatedError(absl::StrCat("the sign-in to ", Printable(server),
                                                 " has expired", why, "; run jobtail login"));
}

// The new token, which is in the file then.
absl::StatusOr<std::string> Renew(const std::string& path, StoredLogin login) {
  Provider provider(login.issuer, login.client_id, login.ca_file);
  if (absl::Status found = provider.Discover(); !found.ok()) return found;
  absl::StatusOr<Tokens> tokens = provider.Refresh(login.refresh_token);
  if (!tokens.ok()) return tokens.status();
  login.token = std::move(tokens->id_token);
  login.refresh_token = std::move(tokens->refresh_token);
  login.expires = ExpiryOf(login.token);
  if (absl::Status written = WriteLogin(path, login); !written.ok()) return written;
  return login.token;
}

// Another token than `known`, which has been refused.
absl::StatusOr<std::string> AnotherToken(const std::string& server, const std::string& known) {
  const std::string path = LoginPath(server);
  const LoginLock lock(path);
  absl::StatusOr<StoredLogin> login = ReadLogin(path);
  if (!login.ok()) return Expired(server, absl::StrCat(": ", login.status().message()));
  const bool is_another = login->token != known && absl::Now() < login->expires;
  if (is_another) return login->token;  // another process has renewed it
  if (login->refresh_token.empty()) return Expired(server, "");
  absl::StatusOr<std::string> token = Renew(path, *login);
  if (token.ok() || absl::IsUnavailable(token.status())) return token;
  return Expired(server, absl::StrCat(": ", token.status().message()));
}

}  // namespace

std::string ValidLogin(const std::string& server) {
  const std::string path = LoginPath(server);
  const absl::StatusOr<StoredLogin> login = ReadLogin(path);
  return login.ok() && absl::Now() < login->expires ? path : "";
}

absl::StatusOr<std::string> FreshLogin(const std::string& server) {
  const std::string path = LoginPath(server);
  absl::StatusOr<StoredLogin> login = ReadLogin(path);
  if (path.empty() || absl::IsNotFound(login.status())) return "";
  if (!login.ok()) return login.status();
  if (absl::Now() + kRenewBefore < login->expires) return path;
  const LoginLock lock(path);
  login = ReadLogin(path);  // another process may have renewed it
  if (!login.ok()) return login.status();
  if (absl::Now() + kRenewBefore < login->expires) return path;
  const absl::Status renewed =
      login->refresh_token.empty() ? absl::UnauthenticatedError("") : Renew(path, *login).status();
  if (renewed.ok() || absl::Now() < login->expires) return path;
  return Expired(server, renewed.message().empty() ? "" : absl::StrCat(": ", renewed.message()));
}

std::function<absl::Status()> LoginRenewal(const std::string& server) {
  const absl::StatusOr<StoredLogin> login = ReadLogin(LoginPath(server));
  return [server, known = login.ok() ? login->token : ""]() mutable {
    absl::StatusOr<std::string> token = AnotherToken(server, known);
    if (!token.ok()) return token.status();
    known = *std::move(token);
    return absl::OkStatus();
  };
}

}  // namespace jobtail::client
