// Lines of JSON, and the file that they go to.
#include "server/access/audit_log.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/json_text.h"
#include "base/utf8.h"

namespace jobtail::access {
namespace {

constexpr size_t kMaxTextBytes = 1 << 10;

void Append(std::string_view name, std::string_view value, std::string* json) {
  if (value.empty()) return;
  absl::StrAppend(json, json->size() > 1 ? "," : "", "\"",
                  absl::string_view(name.data(), name.size()), "\":");
  AppendJsonText(ToUtf8(std::string(value), kMaxTextBytes), json);
}

}  // namespace

std::string ToJsonLine(const AuditRecord& record) {
  std::string json = "{";
  Append("time", absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", record.time, absl::UTCTimeZone()), &json);
  Append("principal", record.principal, &json);
  Append("proof", NameOf(record.proof), &json);
  Append("via", record.via, &json);
  Append("peer", record.peer, &json);
  Append("verb", record.verb, &json);
  Append("job", record.job, &json);
  Append("run", record.run, &json);
  Append("outcome", record.outcome, &json);
  Append("reason", record.reason, &json);
  Append("request_id", record.request_id, &json);
  Append("trace_id", record.trace_id, &json);
  return json + "}\n";
}

AuditLog::~AuditLog() {
  absl::MutexLock lock(&mutex_);
  CloseLocked();
}

// What somebody has left of a record that the disk had no room for, this process or the one before.
bool AuditLog::EndsWithinALine() const {
  const int fd = open(file_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return false;
  struct stat info;
  char last = '\n';
  const bool is_read = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0 &&
                       pread(fd, &last, 1, info.st_size - 1) == 1;
  close(fd);
  return is_read && last != '\n';
}

void AuditLog::CloseLocked() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

void AuditLog::Reopen() {
  absl::MutexLock lock(&mutex_);
  CloseLocked();
}

int64_t AuditLog::failures() const {
  absl::MutexLock lock(&mutex_);
  return failures_;
}

absl::Status AuditLog::Write(const AuditRecord& record) {
  const std::string line = ToJsonLine(record);
  absl::MutexLock lock(&mutex_);
  absl::Status written = WriteLocked(line);
  if (written.ok()) return written;
  // Powers of two: often enough to be seen, and not once a call.
  ++failures_;
  if ((failures_ & (failures_ - 1)) == 0) {
    spdlog::error("{}; {} records are missing", std::string(written.message()), failures_);
  }
  CloseLocked();
  return refuse_ ? written : absl::OkStatus();
}

absl::Status AuditLog::WriteLocked(const std::string& line) {
  const auto failed = [this] {
    return absl::UnavailableError(absl::StrCat("the audit log ", file_,
                                               " cannot be written: ", strerror(errno),
                                               "; what it is to tell of is not done without it"));
  };
  if (fd_ < 0) {
    fd_ = open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd_ < 0) return failed();
    torn_ = EndsWithinALine();
  }
  const std::string text = torn_ ? "\n" + line : line;
  ssize_t count;
  do {
    count = write(fd_, text.data(), text.size());
  } while (count < 0 && errno == EINTR);
  if (count < 0) return failed();
  torn_ = static_cast<size_t>(count) < text.size();
  if (!torn_) return absl::OkStatus();
  errno = ENOSPC;
  return failed();
}

}  // namespace jobtail::access
