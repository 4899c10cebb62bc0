// The log of who has done what.
#ifndef JOBTAIL_SERVER_ACCESS_AUDIT_LOG_H_
#define JOBTAIL_SERVER_ACCESS_AUDIT_LOG_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/access/principal.h"

namespace jobtail::access {

// What is written down of one act. Nothing in it is secret, or chosen by a caller without bound.
struct AuditRecord {
  absl::Time time = {};
  std::string_view principal = {};  // empty for one who is not known
  Proof proof = Proof::kAnonymous;
  std::string_view via = {};  // the proxy that has named it
  std::string_view peer = {};
  std::string_view verb = {};  // "RUN", "LOGIN"
  std::string_view job = {};
  std::string_view run = {};
  std::string_view outcome = {};  // "ALLOWED", "DENIED", "FAILED"
  std::string_view reason = {};   // of what is not allowed
  std::string_view request_id = {};
  std::string_view trace_id = {};
};

// The record as a line of JSON, with "\n". Empty fields are left out; what is not UTF-8 is
// replaced, and each text is cut after 1 KiB.
std::string ToJsonLine(const AuditRecord& record);

// Appends records to a file, each with one write, so that a line is there as a whole or not at all.
// Thread-safe.
//
// Hazard: waits for the disk.
class AuditLog {
 public:
  // `refuse`: Write tells of a failure; otherwise the server's own log does, now and then.
  AuditLog(std::string file, bool refuse) : file_(std::move(file)), refuse_(refuse) {}
  ~AuditLog();

  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  // UNAVAILABLE, if that is wanted, when the record is not written: what it tells of is not to be
  // done then.
  absl::Status Write(const AuditRecord& record);

  // Goes on with the file that has the name by now: after somebody has moved the old one away.
  void Reopen();

  // How many records could not be written.
  int64_t failures() const;

  const std::string& file() const { return file_; }
  bool refuse() const { return refuse_; }

 private:
  absl::Status WriteLocked(const std::string& line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool EndsWithinALine() const;
  void CloseLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string file_;
  const bool refuse_;

  mutable absl::Mutex mutex_;
  int fd_ ABSL_GUARDED_BY(mutex_) = -1;        // opened when it is needed
  bool torn_ ABSL_GUARDED_BY(mutex_) = false;  // the last line is there in part
  int64_t failures_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace jobtail::access

#endif  // JOBTAIL_SERVER_ACCESS_AUDIT_LOG_H_
