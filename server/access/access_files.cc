// The files behind access control, and reading them again.
#include <spdlog/spdlog.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/access/access_control.h"
#include "server/config/trusted_file.h"

namespace jobtail::access {
namespace {

// How often the files are looked at: what is changed is to be in force within a second, with the
// streams that end by it.
constexpr absl::Duration kLookEvery = absl::Milliseconds(250);

}  // namespace

absl::StatusOr<AccessControl::State> AccessControl::Read(const std::string& file) {
  const absl::StatusOr<std::string> text = config::ReadTrustedFile(file);
  if (!text.ok()) return text.status();
  auto policy = AccessPolicy::Parse(*text, file);
  if (!policy.ok()) return policy.status();
  State state{.policy = *std::move(policy)};
  const v1::AccessFile& proto = state.policy->proto();
  std::string tokens;
  if (!proto.token_file().empty()) {
    absl::StatusOr<std::string> read = config::ReadTrustedFile(proto.token_file());
    // Before the first token there is no file.
    if (!read.ok() && !absl::IsNotFound(read.status())) return read.status();
    if (read.ok()) tokens = *std::move(read);
  }
  auto table = TokenTable::Parse(tokens, proto.token_file());
  if (!table.ok()) return table.status();
  state.tokens = *std::move(table);
  if (proto.has_audit()) {
    state.audit = std::make_shared<AuditLog>(proto.audit().file(),
                                             proto.audit().on_failure() != v1::Audit::CONTINUE);
  }
  return state;
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

AccessControl::~AccessControl() { looks_.Stop(); }

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

// Reads all of them, and puts what they say in force at once, or nothing of it.
absl::Status AccessControl::ReadAgain() {
  absl::MutexLock reading(&reading_mutex_);
  // Stamped first: what is changed while it is read is read once more.
  if (watched_.empty()) watched_.emplace_back(file_);
  for (WatchedFile& file : watched_) file.HasChanged();
  absl::StatusOr<State> read = Read(file_);
  if (!read.ok()) return read.status();
  const std::string& tokens = read->policy->proto().token_file();
  if (watched_.size() < 2 || watched_[1].name() != tokens) {
    watched_.resize(1);
    watched_.emplace_back(tokens);
    watched_[1].HasChanged();
    read = Read(file_);  // as it is since the stamp
    if (!read.ok()) return read.status();
  }
  {
    absl::MutexLock lock(&mutex_);
    // The same log goes on: it is one file.
    if (state_.audit && read->audit && state_.audit->file() == read->audit->file() &&
        state_.audit->refuse() == read->audit->refuse()) {
      read->audit = state_.audit;
    }
    state_ = *std::move(read);
  }
  NoteChange();
  return absl::OkStatus();
}

void AccessControl::Reload() {
  const absl::Status read = ReadAgain();
  if (const auto audit = state().audit) audit->Reopen();
  if (read.ok()) {
    spdlog::info("{}: read again", file_);
    return;
  }
  ++failed_reloads_;
  spdlog::error("who may do what stays as it is, because a new file is wrong:\n{}",
                std::string(read.message()));
}

void AccessControl::WatchFiles() {
  bool changed = false;
  {
    absl::MutexLock reading(&reading_mutex_);
    for (WatchedFile& file : watched_) changed |= file.HasChanged();
  }
  if (!changed) return;
  const absl::Status read = ReadAgain();
  if (read.ok()) return;
  ++failed_reloads_;
  spdlog::error("who may do what stays as it is, because a new file is wrong:\n{}",
                std::string(read.message()));
}

void AccessControl::ScheduleLook() {
  looks_.After(kLookEvery, [this] {
    WatchFiles();
    ScheduleLook();
  });
}

}  // namespace jobtail::access
