// Sessions by digest.
#include "server/access/session_table.h"

#include <algorithm>
#include <utility>

namespace jobtail::access {

absl::StatusOr<std::string> SessionTable::Begin(const Principal& principal, absl::Time now) {
  std::string secret = RandomHex(32);
  auto session = std::make_shared<Principal>(principal);
  session->proof = Proof::kSession;
  session->not_after = std::min(principal.expires, now + kLongest);
  const Digest digest = DigestOf(secret);
  session->session = digest;
  absl::MutexLock lock(&mutex_);
  MakeRoomLocked(principal.name, now);
  if (sessions_.size() >= kMost) {
    return absl::ResourceExhaustedError("too many have signed in; come back later");
  }
  sessions_.emplace(digest, Session{std::move(session), now});
  return secret;
}

// Those that have ended go, and the oldest of who has many.
void SessionTable::MakeRoomLocked(const std::string& name, absl::Time now) {
  size_t count = 0;
  auto oldest = sessions_.end();
  absl::erase_if(sessions_,
                 [&](const auto& each) { return now >= each.second.principal->not_after; });
  for (auto each = sessions_.begin(); each != sessions_.end(); ++each) {
    if (each->second.principal->name != name) continue;
    ++count;
    if (oldest == sessions_.end() || each->second.began < oldest->second.began) oldest = each;
  }
  if (count >= kMostOfOne) sessions_.erase(oldest);
}

std::shared_ptr<const Principal> SessionTable::Find(std::string_view secret, absl::Time now) {
  absl::MutexLock lock(&mutex_);
  const auto found = sessions_.find(DigestOf(secret));
  if (found == sessions_.end()) return nullptr;
  if (now < found->second.principal->not_after) return found->second.principal;
  sessions_.erase(found);
  return nullptr;
}

bool SessionTable::Has(const Digest& session) const {
  absl::MutexLock lock(&mutex_);
  return sessions_.contains(session);
}

std::shared_ptr<const Principal> SessionTable::End(std::string_view secret) {
  absl::MutexLock lock(&mutex_);
  const auto found = sessions_.find(DigestOf(secret));
  if (found == sessions_.end()) return nullptr;
  std::shared_ptr<const Principal> principal = std::move(found->second.principal);
  sessions_.erase(found);
  return principal;
}

size_t SessionTable::size() const {
  absl::MutexLock lock(&mutex_);
  return sessions_.size();
}

}  // namespace jobtail::access
