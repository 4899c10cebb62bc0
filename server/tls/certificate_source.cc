// Reads certificates and keys anew when their files change, and keeps the last that fit.
#include "server/tls/certificate_source.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/files/trusted_file.h"
#include "base/utf8.h"

namespace jobtail {
namespace {

// Certificates are small; whatever is larger is none.
constexpr off_t kMostBytes = 1 << 20;

// A file's times may be as old as this when they are set: a second change within it may not show.
constexpr absl::Duration kGranularity = absl::Milliseconds(100);

absl::Status CannotRead(const std::string& path, const std::string& why) {
  return absl::InvalidArgumentError(absl::StrCat(path, " cannot be read: ", why));
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return CannotRead(path, strerror(errno));
  const absl::Cleanup closing = [fd] { close(fd); };
  std::string text;
  struct stat status {};
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size > kMostBytes) {
    return CannotRead(path, "it is no file of PEM texts");
  }
  if (absl::Status trusted = CheckTrustedFile(path, status); !trusted.ok()) return trusted;
  text.resize(static_cast<size_t>(status.st_size));
  const ssize_t got = read(fd, text.data(), text.size());
  if (got < 0) return CannotRead(path, strerror(errno));
  text.resize(static_cast<size_t>(got));
  DropByteOrderMark(&text);
  return text;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CertificateSource>> CertificateSource::Open(
    const TlsOptions& options, Clock* clock) {
  if (options.certificate_file.empty() || options.key_file.empty()) {
    return absl::InvalidArgumentError(
        "TLS needs the certificate and its key: give both --tls-cert and --tls-key");
  }
  std::unique_ptr<CertificateSource> source(new CertificateSource(options, clock));
  {
    absl::MutexLock lock(&source->mutex_);
    if (absl::Status read = source->Reload(); !read.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("TLS: ", read.message()));
    }
    source->TellOfNew();
  }
  source->LookAgainLater();
  return source;
}

std::shared_ptr<const Certificates> CertificateSource::Current() {
  absl::MutexLock lock(&mutex_);
  ReloadIfChanged(/*again=*/false);
  return current_;
}

CertificateStats CertificateSource::stats() const {
  absl::MutexLock lock(&mutex_);
  return {.expires = current_->expires, .failed_reloads = failed_, .is_stale = !problem_.empty()};
}

CertificateSource::Stamp CertificateSource::StampOf(const std::string& path) {
  struct stat status {};
  if (path.empty() || stat(path.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino, status.st_size, absl::TimeFromTimespec(status.st_mtim),
          absl::TimeFromTimespec(status.st_ctim)};
}

CertificateSource::Stamps CertificateSource::Look() const {
  return {StampOf(options_.certificate_file), StampOf(options_.key_file),
          StampOf(options_.client_ca_file)};
}

bool CertificateSource::IsSettled(const Stamps& stamps) {
  const absl::Time now = absl::Now();
  return std::ranges::all_of(stamps, [now](const Stamp& each) {
    return now - each.changed > kGranularity || each.changed > now;
  });
}

absl::StatusOr<CertificateTexts> CertificateSource::Read() const {
  absl::StatusOr<std::string> chain = ReadFile(options_.certificate_file);
  if (!chain.ok()) return chain.status();
  absl::StatusOr<std::string> key = ReadFile(options_.key_file);
  if (!key.ok()) return key.status();
  CertificateTexts texts{*std::move(chain), *std::move(key), ""};
  if (options_.client_ca_file.empty()) return texts;
  absl::StatusOr<std::string> client_ca = ReadFile(options_.client_ca_file);
  if (!client_ca.ok()) return client_ca.status();
  texts.client_ca = *std::move(client_ca);
  if (texts.client_ca.empty()) return CannotRead(options_.client_ca_file, "it is empty");
  return texts;
}

absl::Status CertificateSource::Reload() {
  read_ = Look();
  settled_ = IsSettled(read_);
  absl::StatusOr<CertificateTexts> texts = Read();
  if (!texts.ok()) return texts.status();
  if (current_ && *texts == current_->texts) return absl::OkStatus();
  auto made = MakeCertificates(*std::move(texts));
  if (!made.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        options_.certificate_file, ", ", options_.key_file, ": ", made.status().message()));
  }
  current_ = *std::move(made);
  return absl::OkStatus();
}

// `again`: files that would not do are tried once more though they are the same. What was wrong may
// have been a directory that leads to them.
void CertificateSource::ReloadIfChanged(bool again) {
  const bool is_same = settled_ && Look() == read_;
  if (is_same && (problem_.empty() || !again)) return;
  const auto before = current_;
  const absl::Status reloaded = Reload();
  Tell(reloaded, current_ != before);
}

// The same once, however often it is read.
void CertificateSource::Tell(const absl::Status& reloaded, bool is_new) {
  const std::string problem(reloaded.message());
  if (problem == problem_ && (problem.empty() || read_ == told_)) {
    if (is_new) TellOfNew();
    return;
  }
  if (is_new) {
    TellOfNew();
  } else if (reloaded.ok()) {
    spdlog::info("TLS: the files are again what is served with");
  } else {
    ++failed_;
    spdlog::error(
        "TLS: the files have changed, and will not do: {}; the last that did are served "
        "with until these are mended",
        problem);
  }
  problem_ = problem;
  told_ = read_;
}

void CertificateSource::TellOfNew() const {
  const std::string expires = absl::FormatTime("%Y-%m-%d", current_->expires, absl::UTCTimeZone());
  if (current_->expires < absl::Now()) {
    spdlog::error("TLS: the certificate that is served with has expired, on {}", expires);
  } else {
    spdlog::info("TLS: serving with a certificate that expires on {}", expires);
  }
}

void CertificateSource::LookAgainLater() {
  timer_.After(kInterval, [this] {
    {
      absl::MutexLock lock(&mutex_);
      ReloadIfChanged(/*again=*/true);
    }
    LookAgainLater();
  });
}

}  // namespace jobtail
