// Reading and replacing a login's file.

#include "client/login/login_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/fetch/url.h"
#include "base/quoting.h"

namespace jobtail::client {
namespace {

constexpr size_t kMostBytes = 64 << 10;

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

absl::Status Failed(const std::string& path, const char* what) {
  return absl::ErrnoToStatus(errno, absl::StrCat(Printable(path), " ", what));
}

absl::Status Unsafe(const std::string& path, const char* what) {
  return absl::FailedPreconditionError(
      absl::StrCat(Printable(path), " ", what, "; remove it, and sign in again"));
}

absl::Status WriteAll(int fd, const std::string& path, absl::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count < 0 && errno != EINTR) return Failed(path, "cannot be written");
    if (count > 0) text.remove_prefix(static_cast<size_t>(count));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadAll(int fd, const std::string& path) {
  std::string text;
  char part[4096];
  while (true) {
    const ssize_t count = read(fd, part, sizeof(part));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Failed(path, "cannot be read");
    if (count == 0) return text;
    text.append(part, static_cast<size_t>(count));
    if (text.size() > kMostBytes) return Unsafe(path, "is too large for a login");
  }
}

// The directories that lead to it; those that are not there yet, for the user alone.
absl::Status MakeDirectories(const std::filesystem::path& directory) {
  if (directory.empty() || mkdir(directory.c_str(), 0700) == 0 || errno == EEXIST) {
    return absl::OkStatus();
  }
  if (errno != ENOENT) return Failed(directory, "cannot be made");
  if (absl::Status made = MakeDirectories(directory.parent_path()); !made.ok()) return made;
  if (mkdir(directory.c_str(), 0700) == 0 || errno == EEXIST) return absl::OkStatus();
  return Failed(directory, "cannot be made");
}

}  // namespace

std::string LoginPath(const std::string& server) {
  std::string base = FromEnvironment("XDG_STATE_HOME");
  if (base.empty() || base[0] != '/') {
    const std::string home = FromEnvironment("HOME");
    if (home.empty()) return "";
    base = home + "/.local/state";
  }
  // Encoded, no name is a way to another directory; but for two, which no server has.
  return absl::StrCat(base, "/jobtail/logins/", EncodeForm({{"", server}}).substr(1), ".login");
}

absl::StatusOr<StoredLogin> ReadLogin(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return Failed(path, "cannot be opened");
  const absl::Cleanup closing = [fd] { close(fd); };
  struct stat status {};
  if (fstat(fd, &status) != 0) return Failed(path, "cannot be looked at");
  if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 077) != 0) {
    return Unsafe(path, "can be read by others, or is another user's");
  }
  const absl::StatusOr<std::string> text = ReadAll(fd, path);
  if (!text.ok()) return text.status();
  const std::vector<std::string> lines = absl::StrSplit(*text, '\n');
  std::map<std::string, std::string> fields;
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::pair<std::string, std::string> field =
        absl::StrSplit(lines[i], absl::MaxSplits(' ', 1));
    fields.insert(field);
  }
  StoredLogin login{.token = lines[0],
                    .refresh_token = fields["refresh-token"],
                    .issuer = fields["issuer"],
                    .client_id = fields["client-id"],
                    .ca_file = fields["issuer-ca"]};
  if (login.token.empty() || login.issuer.empty() || login.client_id.empty() ||
      !absl::ParseTime(absl::RFC3339_full, fields["expires"], &login.expires, nullptr)) {
    return Unsafe(path, "has not the form of a login");
  }
  return login;
}

absl::Status WriteLogin(const std::string& path, const StoredLogin& login) {
  absl::Status made = MakeDirectories(std::filesystem::path(path).parent_path());
  if (!made.ok()) return made;
  std::string text = absl::StrCat(login.token, "\n");
  for (const auto& [name, value] :
       {std::pair<const char*, std::string>{"issuer", login.issuer},
        {"client-id", login.client_id},
        {"issuer-ca", login.ca_file},
        {"expires", absl::FormatTime(absl::RFC3339_full, login.expires, absl::UTCTimeZone())},
        {"refresh-token", login.refresh_token}}) {
    if (value.empty()) continue;
    if (value.find('\n') != std::string::npos) {
      return absl::InvalidArgumentError(absl::StrCat(name, " has more than one line"));
    }
    absl::StrAppend(&text, name, " ", value, "\n");
  }
  std::string temporary = path + ".XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);  // of mode 0600
  if (fd < 0) return Failed(path, "cannot be made");
  absl::Cleanup remove = [&] { unlink(temporary.c_str()); };
  const absl::Cleanup closing = [fd] { close(fd); };
  if (absl::Status written = WriteAll(fd, path, text); !written.ok()) return written;
  if (rename(temporary.c_str(), path.c_str()) != 0) return Failed(path, "cannot be replaced");
  std::move(remove).Cancel();
  return absl::OkStatus();
}

absl::StatusOr<bool> RemoveLogin(const std::string& path) {
  if (unlink(path.c_str()) == 0) return true;
  if (errno == ENOENT) return false;
  return Failed(path, "cannot be removed");
}

// Without a lock, all that is lost is a sign-in, so that what goes wrong here is not told.
LoginLock::LoginLock(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path();
  fd_ = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  while (fd_ >= 0 && flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
  }
}

LoginLock::~LoginLock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace jobtail::client
