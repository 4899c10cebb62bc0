// Certificates from files that are replaced while the server runs.
#ifndef JOBTAIL_SERVER_TLS_CERTIFICATE_SOURCE_H_
#define JOBTAIL_SERVER_TLS_CERTIFICATE_SOURCE_H_

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/scheduler.h"
#include "server/tls/certificates.h"
#include "server/tls/options.h"

namespace jobtail {

struct CertificateStats {
  absl::Time expires;          // of what is served with
  int64_t failed_reloads = 0;  // since the start, one for each content that would not do
  bool is_stale = false;       // what is served with is not what is in the files
};

// Has what TLS connections are made with. The files are looked at for each connection, and every
// kInterval. They may be replaced in any order, in place or by renaming: while they do not fit, or
// are garbage, or missing, the last that did are served with, a line in the log says so, and they
// are read again once they change. Connections that are open live on, whatever becomes of the
// files.
//
// Thread-safe; belongs to the server, and outlives both doors.
class CertificateSource {
 public:
  static constexpr absl::Duration kInterval = absl::Seconds(1);

  // Reads the files for the first time: INVALID_ARGUMENT if they will not do.
  static absl::StatusOr<std::unique_ptr<CertificateSource>> Open(const TlsOptions& options,
                                                                 Clock* clock = Clock::System());

  CertificateSource(const CertificateSource&) = delete;
  CertificateSource& operator=(const CertificateSource&) = delete;

  // What a connection is to be made with now: the same object until the files have changed.
  std::shared_ptr<const Certificates> Current() ABSL_LOCKS_EXCLUDED(mutex_);

  CertificateStats stats() const ABSL_LOCKS_EXCLUDED(mutex_);

  bool verifies_clients() const { return !options_.client_ca_file.empty(); }

 private:
  // What changes when a file does. All zero: there is none.
  struct Stamp {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    absl::Time modified;
    absl::Time changed;

    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  using Stamps = std::array<Stamp, 3>;

  CertificateSource(const TlsOptions& options, Clock* clock)
      : options_(options), timer_("tls-reload", clock) {}

  static Stamp StampOf(const std::string& path);
  static bool IsSettled(const Stamps& stamps);
  Stamps Look() const;
  absl::StatusOr<CertificateTexts> Read() const;
  absl::Status Reload() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ReloadIfChanged(bool again) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Tell(const absl::Status& reloaded, bool is_new) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellOfNew() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LookAgainLater();

  const TlsOptions options_;

  mutable absl::Mutex mutex_;
  std::shared_ptr<const Certificates> current_ ABSL_GUARDED_BY(mutex_);
  Stamps read_ ABSL_GUARDED_BY(mutex_);           // of what was read last
  bool settled_ ABSL_GUARDED_BY(mutex_) = false;  // a change since then would show in its stamps
  std::string problem_ ABSL_GUARDED_BY(mutex_);   // with what was read last; "" for none
  Stamps told_ ABSL_GUARDED_BY(mutex_);           // of what the problem was with
  int64_t failed_ ABSL_GUARDED_BY(mutex_) = 0;

  Scheduler timer_;  // last: it uses the rest
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_TLS_CERTIFICATE_SOURCE_H_
