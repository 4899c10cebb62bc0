// Who calls, what they may do, and writing it down.
#include "server/access/access_control.h"

#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/connection_name.h"
#include "server/oidc/verify.h"

namespace jobtail::access {
namespace {

using PrincipalPtr = std::shared_ptr<const Principal>;

PrincipalPtr Anonymous() {
  static const auto& anonymous =
      *new PrincipalPtr(new Principal{.name = "anonymous", .proof = Proof::kAnonymous});
  return anonymous;
}

// What comes after "Bearer "; empty if that is not there.
std::string_view BearerOf(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (!absl::StartsWithIgnoreCase(absl::string_view(authorization.data(), authorization.size()),
                                  absl::string_view(kScheme.data(), kScheme.size()))) {
    return "";
  }
  authorization.remove_prefix(kScheme.size());
  while (authorization.starts_with(' ')) authorization.remove_prefix(1);
  while (authorization.ends_with(' ')) authorization.remove_suffix(1);
  return authorization;
}

// Whom the connection itself proves; null: nobody.
PrincipalPtr OfPeer(const PeerIdentity* peer) {
  if (!peer) return nullptr;
  auto principal = std::make_shared<Principal>();
  if (peer->kind == PeerIdentity::Kind::kSocket) {
    principal->name = absl::StrCat("uid:", peer->uid);
    principal->groups = {absl::StrCat("gid:", peer->gid)};
    principal->proof = Proof::kSocket;
    return principal;
  }
  if (peer->kind != PeerIdentity::Kind::kCertificate || peer->name().empty()) return nullptr;
  principal->name = peer->uris.empty() ? absl::StrCat("dns:", peer->name()) : peer->name();
  principal->proof = Proof::kCertificate;
  // A URI names its scheme, which is none of ours; the owner of a token has none.
  const bool is_taken =
      !peer->uris.empty() &&
      (principal->name.find(':') == std::string::npos || principal->name.starts_with("uid:") ||
       principal->name.starts_with("dns:") || principal->name.starts_with("oidc:") ||
       principal->name.starts_with("proxy:"));
  return is_taken ? nullptr : principal;
}

PrincipalPtr OfClaims(const oidc::Issuer& issuer, const oidc::Claims& claims) {
  auto principal = std::make_shared<Principal>();
  principal->name = claims.name;
  principal->groups = claims.groups;
  principal->proof = Proof::kJwt;
  principal->expires = claims.expires;
  principal->issuer = issuer.id();
  principal->key = claims.key;
  return principal;
}

// For people who read the audit log. gRPC's name of a socket's other end has a secret in it.
std::string PeerText(const Credentials& credentials) {
  const PeerIdentity* const peer = credentials.peer_identity;
  if (!peer || peer->kind != PeerIdentity::Kind::kSocket) return std::string(credentials.peer);
  return absl::StrCat("unix:uid=", peer->uid, ",pid=", peer->pid);
}

absl::Status NoProof() {
  return absl::UnauthenticatedError(
      "this server wants to know who calls; give a token in \"authorization: Bearer ...\", or sign "
      "in at the console page");
}

}  // namespace

std::string ShareOf(const Caller& caller) {
  if (!caller.principal->IsAnonymous()) return caller.principal->name;
  // At a socket, the user's, however many processes that has.
  const std::string_view peer = std::string_view(caller.peer).substr(0, caller.peer.find(",pid="));
  return absl::StrCat("anonymous at ", ClientAddress(peer));
}

std::string TraceIdOf(std::string_view traceparent) {
  constexpr size_t kSize = 55;  // "00-" trace "-" span "-" flags
  if (traceparent.size() != kSize || traceparent[2] != '-' || traceparent[35] != '-') return "";
  const std::string id(traceparent.substr(3, 32));
  const bool is_id = id.find_first_not_of("0123456789abcdef") == std::string::npos &&
                     id.find_first_not_of('0') != std::string::npos;
  return is_id ? id : "";
}

absl::StatusOr<PrincipalPtr> AccessControl::FindBearer(const State& now, std::string_view token,
                                                       Effort effort) const {
  if (now.issuers->empty() || !oidc::IsJwt(token)) return now.tokens->Find(token, clock_->Now());
  const oidc::Issuer* issuer = nullptr;
  if (effort == Effort::kRecall) {
    const std::optional<oidc::Claims> known = now.issuers->Recall(token, &issuer);
    if (!known) return absl::UnauthenticatedError("the token was not verified yet");
    return OfClaims(*issuer, *known);
  }
  const absl::StatusOr<oidc::Claims> claims = now.issuers->Verify(token, &issuer);
  if (!claims.ok()) return claims.status();
  return OfClaims(*issuer, *claims);
}

// What is given must be right: who gives something wrong does not go on as somebody else.
absl::StatusOr<PrincipalPtr> AccessControl::Identify(const Credentials& credentials,
                                                     Effort effort) const {
  const State now = state();
  if (!credentials.authorization.empty()) {
    const std::string_view token = BearerOf(credentials.authorization);
    if (!token.empty()) return FindBearer(now, token, effort);
    return absl::UnauthenticatedError("authorization: give \"Bearer\" and a token");
  }
  const PrincipalPtr peer = OfPeer(credentials.peer_identity);
  // Whoever comes through a proxy that is trusted is never the proxy itself.
  const v1::TrustedProxy* const proxy = peer ? now.policy->FindProxy(peer->name) : nullptr;
  if (proxy) {
    absl::StatusOr<PrincipalPtr> named = NamedBy(*proxy, credentials.headers);
    if (!named.ok() || *named) return named;
  }
  if (!credentials.session.empty()) return FindSession(credentials.session);
  if (peer && !proxy) return peer;
  if (now.policy->knows_anonymous()) return Anonymous();
  return NoProof();
}

absl::StatusOr<PrincipalPtr> AccessControl::FindSession(std::string_view session) const {
  if (PrincipalPtr principal = sessions_.Find(session, clock_->Now())) return principal;
  return absl::UnauthenticatedError("the session has ended; sign in again");
}

absl::StatusOr<Caller> AccessControl::Admit(const Credentials& credentials) {
  absl::StatusOr<PrincipalPtr> principal = Identify(credentials, Effort::kVerify);
  if (!principal.ok()) return Refuse(credentials, "AUTHENTICATE", principal.status());
  Caller caller{*std::move(principal), PeerText(credentials), TraceIdOf(credentials.traceparent)};
  const auto rights = RightsOf(caller);
  if (!rights.ok()) return Refuse(credentials, "AUTHENTICATE", rights.status());
  const absl::Status taken =
      quotas_.TakeCall(ShareOf(caller), (*rights)->limits().calls_per_second);
  if (!taken.ok()) {
    DenyBeyondLimit(caller, {.verb = "CALL"}, taken);
    return taken;
  }
  return caller;
}

absl::StatusOr<Quotas::Place> AccessControl::HoldRequest(const Credentials& credentials,
                                                         int64_t bytes) {
  absl::StatusOr<PrincipalPtr> principal = Identify(credentials, Effort::kRecall);
  if (!principal.ok()) return Quotas::Place();  // Admit says so
  const Caller caller{*std::move(principal), PeerText(credentials)};
  const auto rights = RightsOf(caller);
  if (!rights.ok()) return Quotas::Place();  // as above
  return quotas_.Enter(Quotas::Kind::kRequestBytes, ShareOf(caller),
                       (*rights)->limits().request_bytes, bytes);
}

absl::Status AccessControl::HoldRequest(const Caller& caller, int64_t bytes, Quotas::Place* place) {
  if (place->is_owned()) return absl::OkStatus();
  const auto rights = RightsOf(caller);
  if (!rights.ok()) return rights.status();
  absl::StatusOr<Quotas::Place> own = quotas_.Enter(Quotas::Kind::kRequestBytes, ShareOf(caller),
                                                    (*rights)->limits().request_bytes, bytes);
  if (!own.ok()) {
    DenyBeyondLimit(caller, {.verb = kRequest}, own.status());
    return own.status();
  }
  *place = *std::move(own);
  return absl::OkStatus();
}

absl::StatusOr<Quotas::Place> AccessControl::HoldConnection(const Caller& caller) {
  const auto rights = RightsOf(caller);
  if (!rights.ok()) return rights.status();
  return quotas_.Enter(Quotas::Kind::kConnections, ShareOf(caller),
                       (*rights)->limits().connections);
}

absl::StatusOr<Quotas::Place> AccessControl::HoldStream(const Caller& caller, const Act& act) {
  const auto rights = RightsOf(caller);
  if (!rights.ok()) return rights.status();
  auto place = quotas_.Enter(Quotas::Kind::kStreams, ShareOf(caller), (*rights)->limits().streams);
  if (!place.ok()) DenyBeyondLimit(caller, act, place.status());
  return place;
}

// Not written down once it comes too often: the disk has an end, too.
absl::Status AccessControl::Refuse(const Credentials& credentials, std::string_view verb,
                                   const absl::Status& why) {
  // Nobody knows yet whether it is wrong: an issuer cannot be asked.
  if (absl::IsUnavailable(why)) return why;
  const bool is_guess =
      !credentials.authorization.empty() || !credentials.session.empty() || verb == "LOGIN";
  const absl::Status noted = quotas_.NoteFailure(ClientAddress(credentials.peer), is_guess);
  if (noted.ok()) {
    const Caller nobody{Anonymous(), PeerText(credentials), TraceIdOf(credentials.traceparent)};
    Deny(nobody, {.verb = verb}, why);
  }
  return !noted.ok() && is_guess ? noted : why;
}

absl::StatusOr<std::string> AccessControl::SignIn(const Credentials& credentials,
                                                  std::string_view token) {
  return BeginSession(credentials, FindBearer(state(), token, Effort::kVerify));
}

absl::StatusOr<std::string> AccessControl::SignIn(const Credentials& credentials,
                                                  const oidc::Issuer& issuer,
                                                  const absl::StatusOr<oidc::Claims>& claims) {
  if (!claims.ok()) return BeginSession(credentials, claims.status());
  return BeginSession(credentials, OfClaims(issuer, *claims));
}

absl::StatusOr<std::string> AccessControl::BeginSession(
    const Credentials& credentials, const absl::StatusOr<PrincipalPtr>& principal) {
  if (!principal.ok()) return Refuse(credentials, "LOGIN", principal.status());
  const Caller caller{*principal, PeerText(credentials), TraceIdOf(credentials.traceparent)};
  const auto rights = RightsOf(caller);
  if (!rights.ok()) return Refuse(credentials, "LOGIN", rights.status());
  const absl::Status taken =
      quotas_.TakeCall(caller.principal->name, (*rights)->limits().calls_per_second);
  if (!taken.ok()) {
    DenyBeyondLimit(caller, {.verb = "LOGIN"}, taken);
    return taken;
  }
  if (absl::Status allowed = Allow(caller, {.verb = "LOGIN"}); !allowed.ok()) return allowed;
  return sessions_.Begin(**principal, clock_->Now());
}

void AccessControl::SignOut(const Credentials& credentials) {
  PrincipalPtr principal = sessions_.End(credentials.session);
  if (!principal) return;
  const Caller caller{std::move(principal), PeerText(credentials),
                      TraceIdOf(credentials.traceparent)};
  Allow(caller, {.verb = "LOGOUT"}).IgnoreError();
  NoteChange();
}

absl::StatusOr<std::shared_ptr<const Rights>> AccessControl::RightsOf(const Caller& caller) const {
  const State now = state();
  const Principal& principal = *caller.principal;
  if (principal.IsLocal()) return now.policy->RightsOf(principal);
  if (clock_->Now() >= principal.not_after) {
    return absl::UnauthenticatedError("the session has ended; sign in again");
  }
  if (principal.session && !sessions_.Has(*principal.session)) {
    return absl::UnauthenticatedError("the session has ended; sign in again");
  }
  if (!principal.issuer.empty()) {
    if (clock_->Now() >= principal.expires) {
      return absl::UnauthenticatedError("the token has expired; sign in again");
    }
    if (!now.issuers->Trusts(principal.issuer, principal.key)) {
      return absl::UnauthenticatedError(
          "what has signed the token is not trusted any more; sign in again");
    }
    return now.policy->RightsOf(principal);
  }
  if (!principal.via.empty() && !now.policy->FindProxy(principal.via)) {
    return absl::UnauthenticatedError(
        absl::StrCat("the proxy ", principal.via, " is not trusted any more to say who calls"));
  }
  if (principal.token_id.empty()) {
    if (principal.IsAnonymous() && !now.policy->knows_anonymous()) return NoProof();
    if (clock_->Now() >= principal.expires) {
      return absl::UnauthenticatedError("the token has expired; ask for another");
    }
    return now.policy->RightsOf(principal);
  }
  const auto present = now.tokens->FindAgain(principal.token_id, clock_->Now());
  if (!present.ok()) return present.status();
  return now.policy->RightsOf(**present);
}

std::vector<std::string> AccessControl::GroupsOf(const Caller& caller) const {
  const State now = state();
  if (!caller.principal->token_id.empty()) {
    const auto present = now.tokens->FindAgain(caller.principal->token_id, clock_->Now());
    if (present.ok()) return now.policy->GroupsOf(**present);
  }
  return now.policy->GroupsOf(*caller.principal);
}

absl::Status AccessControl::Write(const Caller& caller, const Act& act, std::string_view outcome,
                                  std::string_view reason) {
  const std::shared_ptr<AuditLog> audit = state().audit;
  if (!audit) return absl::OkStatus();
  const Principal& principal = *caller.principal;
  return audit->Write({.time = clock_->Now(),
                       .principal = principal.IsAnonymous() ? "" : principal.name,
                       .proof = principal.proof,
                       .via = principal.via,
                       .peer = caller.peer,
                       .verb = act.verb,
                       .job = act.job,
                       .run = act.run,
                       .outcome = outcome,
                       .reason = reason,
                       .request_id = act.request_id,
                       .trace_id = caller.trace_id});
}

absl::Status AccessControl::Allow(const Caller& caller, const Act& act) {
  return Write(caller, act, "ALLOWED", "");
}

void AccessControl::Deny(const Caller& caller, const Act& act, const absl::Status& why) {
  Write(caller, act, "DENIED", std::string(why.message())).IgnoreError();
}

void AccessControl::DenyBeyondLimit(const Caller& caller, const Act& act, const absl::Status& why) {
  if (MayNote(caller)) Deny(caller, act, why);
}

bool AccessControl::MayNote(const Caller& caller) {
  return caller.principal->IsAnonymous() ? quotas_.MayNoteStranger(ClientAddress(caller.peer))
                                         : quotas_.MayNoteRefusal(caller.principal->name);
}

std::function<void()> AccessControl::DenyForeign(const Credentials& credentials,
                                                 const absl::Status& why) {
  if (!quotas_.MayNoteStranger(ClientAddress(credentials.peer))) return nullptr;
  Caller nobody{Anonymous(), PeerText(credentials), TraceIdOf(credentials.traceparent)};
  return [this, nobody = std::move(nobody), why] { Deny(nobody, {.verb = "FOREIGN"}, why); };
}

std::function<void()> AccessControl::DenyRequest(const Credentials& credentials,
                                                 const absl::Status& why) {
  absl::StatusOr<PrincipalPtr> principal = Identify(credentials, Effort::kRecall);
  if (!principal.ok()) return nullptr;
  Caller caller{*std::move(principal), PeerText(credentials), TraceIdOf(credentials.traceparent)};
  if (!MayNote(caller)) return nullptr;
  return [this, caller = std::move(caller), why] { Deny(caller, {.verb = kRequest}, why); };
}

void AccessControl::Fail(const Caller& caller, const Act& act, const absl::Status& why) {
  Write(caller, act, "FAILED", why.ToString()).IgnoreError();
}

bool AccessControl::HasProofs() const {
  const std::shared_ptr<const AccessPolicy> policy = this->policy();
  const v1::AccessFile& file = policy->proto();
  return !file.token_file().empty() || file.oidc_size() > 0 || file.trusted_proxy_size() > 0;
}

int64_t AccessControl::audit_failures() const {
  const std::shared_ptr<AuditLog> audit = state().audit;
  return audit ? audit->failures() : 0;
}

}  // namespace jobtail::access
