// What is left of a sign-in: a file for each server, in the user's state directory.
#ifndef JOBTAIL_CLIENT_LOGIN_LOGIN_FILE_H_
#define JOBTAIL_CLIENT_LOGIN_LOGIN_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace jobtail::client {

// A sign-in to one server. Of what is secret, everything is in here.
struct StoredLogin {
  std::string token = {};          // what is shown to the server
  std::string refresh_token = {};  // what a new one is to be had with; empty: nothing
  std::string issuer = {};
  std::string client_id = {};
  std::string ca_file = {};                     // vouches for the issuer; empty: the system's
  absl::Time expires = absl::InfiniteFuture();  // of the token
};

// Where that of a server is: $XDG_STATE_HOME/jobtail/logins, else ~/.local/state/jobtail/logins.
// Its first line is the token, as in any other token file. "" where neither is known.
std::string LoginPath(const std::string& server);

// NOT_FOUND if there is none; FAILED_PRECONDITION for a file that others can read or write, or that
// has another form.
absl::StatusOr<StoredLogin> ReadLogin(const std::string& path);

// To a new file of mode 0600, which takes the place of the old one; directories are made, for the
// user alone.
absl::Status WriteLogin(const std::string& path, const StoredLogin& login);

// Whether there was one. An error if it cannot be removed.
absl::StatusOr<bool> RemoveLogin(const std::string& path);

// Keeps other processes of the user from changing a login. One at a time holds it; waits for the
// others.
class LoginLock {
 public:
  explicit LoginLock(const std::string& path);
  ~LoginLock();
  LoginLock(const LoginLock&) = delete;
  LoginLock& operator=(const LoginLock&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace jobtail::client

#endif  // JOBTAIL_CLIENT_LOGIN_LOGIN_FILE_H_
