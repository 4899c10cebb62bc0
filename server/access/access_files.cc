// The files behind access control, and reading them again.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/files/trusted_file.h"
#include "server/access/access_control.h"
#include "server/access/issuer_settings.h"

namespace jobtail::access {
namespace {

// How often the files are looked at: what is changed is to be in force within a second, with the
// streams that end by it.
constexpr absl::Duration kLookEvery = absl::Milliseconds(250);

// How many looks later files that were wrong are read again.
constexpr int kTryAgainLooks = 4;

absl::StatusOr<std::string> ReadTokenText(const std::string& file) {
  if (file.empty()) return "";
  absl::StatusOr<std::string> text = ReadTrustedFile(file);
  if (absl::IsNotFound(text.status())) return "";  // before the first token
  return text;
}

void TellWrong(const absl::Status& read) {
  spdlog::error(
      "who may do what stays as it is, but for tokens that are revoked, because a new file is "
      "wrong; new tokens count once it is mended:\n{}",
      std::string(read.message()));
}

}  // namespace

absl::StatusOr<AccessControl::Reading> AccessControl::Read(const std::string& file) {
  const absl::StatusOr<std::string> text = ReadTrustedFile(file);
  if (!text.ok()) return text.status();
  auto policy = AccessPolicy::Parse(*text, file);
  if (!policy.ok()) return policy.status();
  State state{.policy = *std::move(policy)};
  const v1::AccessFile& proto = state.policy->proto();
  const absl::StatusOr<std::string> tokens_text = ReadTokenText(proto.token_file());
  if (!tokens_text.ok()) return tokens_text.status();
  auto tokens = TokenTable::Parse(*tokens_text, proto.token_file());
  if (!tokens.ok()) return tokens.status();
  state.tokens = *std::move(tokens);
  if (proto.has_audit()) {
    state.audit = std::make_shared<AuditLog>(proto.audit().file(),
                                             proto.audit().on_failure() != v1::Audit::CONTINUE);
  }
  auto issuers = ReadIssuers(proto);
  if (!issuers.ok()) return issuers.status();
  return Reading{std::move(state), *std::move(issuers)};
}

absl::Status AccessControl::Check(const std::string& file) { return Read(file).status(); }

absl::StatusOr<std::unique_ptr<AccessControl>> AccessControl::Open(const std::string& file,
                                                                   Clock* clock) {
  std::unique_ptr<AccessControl> access(new AccessControl(file, clock));
  if (absl::Status read = access->ReadAgain(); !read.ok()) return read;
  access->ScheduleLook();
  return access;
}

AccessControl::AccessControl(std::string file, Clock* clock)
    : file_(std::move(file)), clock_(clock), quotas_(clock), looks_("access-files") {}

AccessControl::~AccessControl() {
  looks_.Stop();
  State last;  // issuers' threads use the rest, and end here
  absl::MutexLock lock(&mutex_);
  std::swap(last, state_);
}

void AccessControl::OnChange(std::function<void()> changed) {
  absl::MutexLock lock(&changed_mutex_);
  changed_ = std::move(changed);
}

void AccessControl::NoteChange() {
  version_.fetch_add(1, std::memory_order_acq_rel);
  absl::MutexLock lock(&changed_mutex_);
  if (changed_) changed_();
}

AccessControl::State AccessControl::state() const {
  absl::MutexLock lock(&mutex_);
  return state_;
}

std::shared_ptr<const AccessPolicy> AccessControl::policy() const {
  absl::MutexLock lock(&mutex_);
  return state_.policy;
}

// Reads all of them, and puts what they say in force at once, or nothing of it but what the tokens
// have lost.
absl::Status AccessControl::ReadAgain() {
  absl::MutexLock reading(&reading_mutex_);
  return ReadAgainLocked();
}

absl::Status AccessControl::ReadAgainLocked() {
  const absl::Status read = ReadAllLocked();
  if (!read.ok()) ReadTokensLocked();
  problem_ = std::string(read.message());
  return read;
}

// A token that was revoked proves nothing any more, whatever is wrong elsewhere. One that is new,
// or may be of more groups by now, was made for a policy that nobody has read: it has to wait for
// it. A file that is gone says nothing: it may be on its way to where the new policy has it.
void AccessControl::ReadTokensLocked() {
  const std::shared_ptr<const AccessPolicy> in_force = policy();
  if (!in_force || in_force->proto().token_file().empty()) return;
  const std::string& file = in_force->proto().token_file();
  absl::StatusOr<std::string> text = ReadTrustedFile(file);
  if (!text.ok() || *text == tokens_read_) return;
  auto tokens = TokenTable::Parse(*text, file);
  if (!tokens.ok()) return;
  if (!tokens_read_) right_tokens_ = state().tokens;
  tokens_read_ = *std::move(text);
  {
    absl::MutexLock lock(&mutex_);
    state_.tokens = right_tokens_->NarrowedBy(**tokens);
  }
  NoteChange();
}

absl::Status AccessControl::ReadAllLocked() {
  // Stamped first: what is changed while it is read is read once more.
  if (watched_.empty()) watched_.emplace_back(file_);
  for (WatchedFile& file : watched_) file.HasChanged();
  absl::StatusOr<Reading> read = Read(file_);
  if (!read.ok()) return read.status();
  if (WatchAll(FilesOf(read->state.policy->proto()))) {
    read = Read(file_);  // as it is since the stamps
    if (!read.ok()) return read.status();
  }
  Enforce(*std::move(read));
  tokens_read_.reset();
  NoteChange();
  return absl::OkStatus();
}

// Whether these are other files than before, besides the access file itself.
bool AccessControl::WatchAll(const std::vector<std::string>& files) {
  const bool same = std::ranges::equal(watched_.begin() + 1, watched_.end(), files.begin(),
                                       files.end(), {}, &WatchedFile::name);
  if (same) return false;
  watched_.resize(1);
  for (const std::string& file : files) watched_.emplace_back(file).HasChanged();
  return true;
}

// Issuers and the log go on, if they are the same.
void AccessControl::Enforce(Reading read) {
  State old = state();  // and ends after the lock was given back: an issuer's end takes a while
  read.state.issuers = std::make_shared<const oidc::IssuerSet>(read.issuers, old.issuers.get(),
                                                               clock_, [this] { NoteChange(); });
  if (old.audit && read.state.audit && old.audit->file() == read.state.audit->file() &&
      old.audit->refuse() == read.state.audit->refuse()) {
    read.state.audit = old.audit;
  }
  absl::MutexLock lock(&mutex_);
  state_ = std::move(read.state);
}

void AccessControl::Reload() {
  const absl::Status read = ReadAgain();
  if (const auto audit = state().audit) audit->Reopen();
  if (read.ok()) {
    spdlog::info("{}: read again", file_);
    return;
  }
  ++failed_reloads_;
  TellWrong(read);
}

void AccessControl::WatchFiles() {
  absl::Status read;
  {
    absl::MutexLock reading(&reading_mutex_);
    bool changed = false;
    for (WatchedFile& file : watched_) changed |= file.HasChanged();
    if (!changed) return TryOnceMoreLocked();
    unchanged_looks_ = 0;
    read = ReadAgainLocked();
  }
  if (read.ok()) return;
  ++failed_reloads_;
  TellWrong(read);
}

// Files that were wrong are read again though they are the same: it may have been a directory that
// leads to them, or a file that one of them names.
void AccessControl::TryOnceMoreLocked() {
  if (problem_.empty() || ++unchanged_looks_ % kTryAgainLooks != 0) return;
  const std::string before = problem_;
  const absl::Status read = ReadAgainLocked();
  if (problem_ == before) return;
  if (read.ok()) return spdlog::info("{}: is mended, and in force", file_);
  ++failed_reloads_;
  TellWrong(read);
}

void AccessControl::ScheduleLook() {
  looks_.After(kLookEvery, [this] {
    WatchFiles();
    ScheduleLook();
  });
}

}  // namespace jobtail::access
