// Who may do what on a server, as its files say at the moment.
#ifndef JOBTAIL_SERVER_ACCESS_ACCESS_CONTROL_H_
#define JOBTAIL_SERVER_ACCESS_ACCESS_CONTROL_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "base/scheduler.h"
#include "server/access/access_policy.h"
#include "server/access/audit_log.h"
#include "server/access/principal.h"
#include "server/access/quotas.h"
#include "server/access/session_table.h"
#include "server/access/token_file.h"
#include "server/access/trusted_proxy.h"
#include "server/access/watched_file.h"
#include "server/oidc/issuer_set.h"
#include "server/tls/peer_identity.h"

namespace jobtail::access {

// What comes with a call, as a door has it. Lives as long as what it was taken from.
struct Credentials {
  std::string_view authorization = {};          // the header "authorization"; empty: there is none
  std::string_view session = {};                // the cookie; empty: there is none
  const PeerIdentity* peer_identity = nullptr;  // what the connection proves; null: nothing
  std::string_view peer = {};                   // the address that it comes from
  std::string_view traceparent = {};            // the header (W3C)
  HeaderValues headers = nullptr;               // all of them; null: there are none
};

// Authentication, what is granted, limits and the audit log: everything about access that both
// doors and the engine ask. Thread-safe.
//
// The files are read again within a quarter of a second after a change, and on Reload. If something
// is wrong then, what was right last stays in force, and the server's log says so; once a second it
// is tried again.
//
// Hazard: what writes an audit record waits for the disk: Admit where it refuses, SignIn, SignOut,
// Allow, Deny, DenyBeyondLimit, Fail, HoldRequest with a caller.
class AccessControl {
 public:
  // Reads the access file and what it names. INVALID_ARGUMENT with a line for each mistake; for a
  // file that cannot be read or that others can write, see ReadTrustedFile.
  static absl::StatusOr<std::unique_ptr<AccessControl>> Open(const std::string& file,
                                                             Clock* clock = Clock::System());
  // What is wrong with an access file and the files that it names.
  static absl::Status Check(const std::string& file);

  ~AccessControl();
  AccessControl(const AccessControl&) = delete;
  AccessControl& operator=(const AccessControl&) = delete;

  // Reads all files again, and reopens the audit log. Where one is wrong, all stays as it is but
  // for what tokens have lost: if their file is right, one that was revoked proves nothing any
  // more. A new one does not count before the others are right: it is not for the old policy to say
  // what it may do.
  void Reload();

  // Has `changed` called after each change of what is in force, by the thread that has noticed it.
  // It must not wait for anything, nor call this. Null: nothing any more, from its return on.
  void OnChange(std::function<void()> changed);

  // Beyond a limit: connections, bytes of requests, streams of health and of reflection.
  static constexpr std::string_view kConnect = "CONNECT";
  static constexpr std::string_view kRequest = "REQUEST";
  static constexpr std::string_view kWatchHealth = "WATCH_HEALTH";
  static constexpr std::string_view kReflect = "REFLECT";

  // What an act is written down as.
  struct Act {
    std::string_view verb = {};
    std::string_view job = {};
    std::string_view run = {};
    std::string_view request_id = {};
  };
  // Who calls; for each call once, before anything is done for it. UNAUTHENTICATED for a wrong
  // proof, and for none if nothing is granted to who is not known; RESOURCE_EXHAUSTED beyond the
  // principal's calls a second, and where an address fails too often.
  absl::StatusOr<Caller> Admit(const Credentials& credentials);

  // Counts a request that is under way, by whoever can be known at once, until its place is given
  // back: so many bytes now, and as many as the place is resized to. RESOURCE_EXHAUSTED beyond the
  // principal's limit (see DenyRequest). A JWT tells whose it is once it was verified, by Admit;
  // before that, and of whom nothing is known, nothing is counted. For threads that must not wait:
  // neither the disk nor a signature is asked.
  absl::StatusOr<Quotas::Place> HoldRequest(const Credentials& credentials, int64_t bytes);
  // The same once it is known who calls, for a place that is nobody's yet. A refusal is written
  // down.
  absl::Status HoldRequest(const Caller& caller, int64_t bytes, Quotas::Place* place);
  // One of the caller's connections, until the place is given back. RESOURCE_EXHAUSTED beyond the
  // principal's limit: whoever asks has that written down, by DenyBeyondLimit with kConnect, once
  // nobody waits for its locks.
  absl::StatusOr<Quotas::Place> HoldConnection(const Caller& caller);
  // One of the caller's streams, until the place is given back. RESOURCE_EXHAUSTED beyond the
  // principal's limit, which is written down.
  absl::StatusOr<Quotas::Place> HoldStream(const Caller& caller, const Act& act);

  // Begins a session with a token: its secret, for a cookie. Errors as Admit's.
  absl::StatusOr<std::string> SignIn(const Credentials& credentials, std::string_view token);
  // The same with what an issuer has said of the user, or why it has said nothing.
  absl::StatusOr<std::string> SignIn(const Credentials& credentials, const oidc::Issuer& issuer,
                                     const absl::StatusOr<oidc::Claims>& claims);
  void SignOut(const Credentials& credentials);

  // The issuers whose tokens count. Never null.
  std::shared_ptr<const oidc::IssuerSet> issuers() const { return state().issuers; }

  // What the caller may do at this moment. UNAUTHENTICATED if what has proved who it is has been
  // revoked, has expired, or has ended.
  absl::StatusOr<std::shared_ptr<const Rights>> RightsOf(const Caller& caller) const;
  std::vector<std::string> GroupsOf(const Caller& caller) const;

  // Another one after each change of what is in force, or of what rights go by: to be told of jobs
  // whose labels may be others.
  void NoteChange();
  int64_t version() const { return version_.load(std::memory_order_acquire); }

  // Writes down that it is allowed, and about to be done. UNAVAILABLE if it is not to be done,
  // because it cannot be written down.
  absl::Status Allow(const Caller& caller, const Act& act);
  // That it is not allowed; that it was and has failed.
  void Deny(const Caller& caller, const Act& act, const absl::Status& why);
  void Fail(const Caller& caller, const Act& act, const absl::Status& why);
  // That it is beyond a limit of the caller's: now and then, where that comes often.
  void DenyBeyondLimit(const Caller& caller, const Act& act, const absl::Status& why);
  // That a page of another site, or under a name that is not the server's, has asked for something.
  // Returns what writes that down, now and then; null if nothing is to be written. May be called by
  // a thread that must not wait, which has another one call what is returned.
  std::function<void()> DenyForeign(const Credentials& credentials, const absl::Status& why);
  // The same, that a request is beyond the limit of bytes of whom HoldRequest has found.
  std::function<void()> DenyRequest(const Credentials& credentials, const absl::Status& why);

  // Whether anybody but by a client certificate, or over a unix socket, can prove who they are:
  // there are tokens, an issuer of them, or a proxy that is trusted.
  bool HasProofs() const;
  bool probes_need_identity() const { return policy()->proto().probes_need_identity(); }
  bool reflection_needs_identity() const { return policy()->proto().reflection_needs_identity(); }
  Quotas* quotas() { return &quotas_; }
  Clock* clock() const { return clock_; }
  int64_t audit_failures() const;
  // How often files were found wrong: once for each change, and for each other mistake in the same.
  int64_t failed_reloads() const { return failed_reloads_; }

 private:
  // What the files say together.
  struct State {
    std::shared_ptr<const AccessPolicy> policy = nullptr;
    std::shared_ptr<const TokenTable> tokens = nullptr;
    std::shared_ptr<AuditLog> audit = nullptr;  // null: none
    std::shared_ptr<const oidc::IssuerSet> issuers = nullptr;
  };

  AccessControl(std::string file, Clock* clock);

  // The issuers are put in their settings' place by Enforce: they begin to fetch.
  struct Reading {
    State state;
    std::vector<oidc::Settings> issuers;
  };
  static absl::StatusOr<Reading> Read(const std::string& file);
  bool WatchAll(const std::vector<std::string>& files)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(reading_mutex_);
  void Enforce(Reading read);
  absl::Status ReadAgain();
  absl::Status ReadAgainLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(reading_mutex_);
  absl::Status ReadAllLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(reading_mutex_);
  void ReadTokensLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(reading_mutex_);
  void WatchFiles();
  void TryOnceMoreLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(reading_mutex_);
  void ScheduleLook();
  State state() const;
  std::shared_ptr<const AccessPolicy> policy() const;

  // How a JWT that was not verified before is met.
  enum class Effort { kVerify, kRecall };

  absl::StatusOr<std::shared_ptr<const Principal>> Identify(const Credentials& credentials,
                                                            Effort effort) const;
  absl::StatusOr<std::shared_ptr<const Principal>> FindSession(std::string_view session) const;
  absl::StatusOr<std::shared_ptr<const Principal>> FindBearer(const State& now,
                                                              std::string_view token,
                                                              Effort effort) const;
  absl::StatusOr<std::string> BeginSession(
      const Credentials& credentials,
      const absl::StatusOr<std::shared_ptr<const Principal>>& principal);
  absl::Status Refuse(const Credentials& credentials, std::string_view verb,
                      const absl::Status& why);
  bool MayNote(const Caller& caller);
  absl::Status Write(const Caller& caller, const Act& act, std::string_view outcome,
                     std::string_view reason);

  const std::string file_;
  Clock* const clock_;
  Quotas quotas_;
  mutable SessionTable sessions_;
  std::atomic<int64_t> version_ = 1;
  std::atomic<int64_t> failed_reloads_ = 0;

  mutable absl::Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_);

  absl::Mutex changed_mutex_;  // held while it is called
  std::function<void()> changed_ ABSL_GUARDED_BY(changed_mutex_);

  absl::Mutex reading_mutex_;  // one at a time reads the files; taken before the others
  std::vector<WatchedFile> watched_ ABSL_GUARDED_BY(reading_mutex_);
  // What was wrong when they were last read; empty if nothing was.
  std::string problem_ ABSL_GUARDED_BY(reading_mutex_);
  int unchanged_looks_ ABSL_GUARDED_BY(reading_mutex_) = 0;  // since then
  // What the tokens were narrowed by since all files were right; and, if they were, what they were
  // then.
  std::optional<std::string> tokens_read_ ABSL_GUARDED_BY(reading_mutex_);
  std::shared_ptr<const TokenTable> right_tokens_ ABSL_GUARDED_BY(reading_mutex_);

  Scheduler looks_;  // last: its thread uses the rest
};

// Whose share of calls, connections, streams and bytes is taken: the principal's; of callers who
// are not known, that of their address.
std::string ShareOf(const Caller& caller);

// The trace id of a header "traceparent" (W3C); empty if it has not that form.
std::string TraceIdOf(std::string_view traceparent);

}  // namespace jobtail::access

#endif  // JOBTAIL_SERVER_ACCESS_ACCESS_CONTROL_H_
