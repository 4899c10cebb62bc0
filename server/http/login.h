// Signing in at the console page with an OpenID Connect issuer.
#ifndef JOBTAIL_SERVER_HTTP_LOGIN_H_
#define JOBTAIL_SERVER_HTTP_LOGIN_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/fetch/fetch.h"
#include "base/scheduler.h"
#include "base/tally.h"
#include "server/access/access_control.h"
#include "server/http/api.h"

namespace jobtail::http {

// Where one signs in with an issuer: what there is (JSON), the way there, and the way back.
inline constexpr std::string_view kIssuersPath = "/login/issuers";
inline constexpr std::string_view kLoginPath = "/login/oidc";
inline constexpr std::string_view kCallbackPath = "/login/callback";

bool IsLoginPath(std::string_view path);

// Takes a browser to the issuer, and what it comes back with to the session's cookie: the
// authorization code flow with PKCE, state and nonce. All of them follow from a secret that the
// browser keeps in a cookie for ten minutes (SameSite=Lax, since the way back begins at another
// site), and which nothing else is done with: the server keeps nothing, and a code that somebody
// else was given is worth nothing in this browser.
//
// Its own threads wait for issuers. No more than kMostWaiting requests are there for them at a
// time, and kMostOfAddress of one client address. Thread-safe, but for Stop, which is the owner's.
class Login {
 public:
  static constexpr int kThreads = 2;
  static constexpr int kMostWaiting = 64;
  static constexpr int kMostOfAddress = 8;

  // `access`: null where nobody is asked who they are. It outlives this, as `clock`.
  Login(access::AccessControl* access, Clock* clock)
      : access_(access), waits_("http-login", clock, kThreads) {}

  bool is_there() const { return access_ != nullptr; }

  // One of the requests that may be there, until the last copy of it goes. RESOURCE_EXHAUSTED if
  // there are too many, in all or of the address that the connection comes from, which is as its
  // socket names it. Does not wait.
  using Place = std::shared_ptr<void>;
  absl::StatusOr<Place> Enter(std::string_view connection);

  // Calls `task` on a thread that may wait, for an Answer.
  void Run(std::function<void()> task) { waits_.Soon(std::move(task)); }
  // Answers a GET to one of the paths. May wait for the issuer and for the disk.
  Reply Answer(const Request& request);
  Reply Refuse(const Request& request, const absl::Status& why) const;

  // Nobody is waited for any more; what is under way ends soon.
  void GiveUp() { fetcher_.Cancel(); }
  void Stop() { waits_.Stop(); }

 private:
  void Leave(const std::string& address);
  Reply ListIssuers() const;
  absl::StatusOr<Reply> Begin(const Request& request) const;
  absl::StatusOr<Reply> Finish(const Request& request);

  access::AccessControl* const access_;
  Fetcher fetcher_;
  absl::Mutex mutex_;
  Tally waiting_ ABSL_GUARDED_BY(mutex_);  // by client address
  Scheduler waits_;                        // last: its threads use the rest
};

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_LOGIN_H_
