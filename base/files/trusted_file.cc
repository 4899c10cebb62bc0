// Reading files that decide what the server does.
#include "base/files/trusted_file.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <list>
#include <string_view>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/utf8.h"

namespace jobtail {
namespace {

constexpr size_t kPieceBytes = 64 << 10;

// As many as the kernel follows.
constexpr int kMostLinks = 40;

absl::Status CannotRead(const std::string& path, int error) {
  const std::string message =
      absl::StrCat(path, ": cannot be read: ", strerror(error),
                   "; give a file that is there, and that the server's user can read");
  if (error == ENOENT || error == ENOTDIR) return absl::NotFoundError(message);
  return error == EACCES ? absl::PermissionDeniedError(message) : absl::UnavailableError(message);
}

// Of a file that is there: it has been opened.
absl::Status CannotFollow(const std::string& path, int error) {
  return absl::UnavailableError(
      absl::StrCat(path, ": the way to it cannot be followed: ", strerror(error),
                   "; give the directories that lead to it to the server's user or to root"));
}

bool IsReadOnly(const std::string& path) {
  struct statvfs system {};
  return statvfs(path.c_str(), &system) == 0 && (system.f_flag & ST_RDONLY) != 0;
}

bool IsOurs(const struct stat& status) { return status.st_uid == 0 || status.st_uid == geteuid(); }

// The group that many systems give each user for itself: of the user's name, and nobody else in it.
// With it they have a umask of 002.
bool IsGroupOfOwner(const struct stat& status) {
  std::array<char, 16 << 10> user_text;
  std::array<char, 16 << 10> group_text;
  passwd user;
  group its;
  passwd* found_user = nullptr;
  group* found_group = nullptr;
  getpwuid_r(status.st_uid, &user, user_text.data(), user_text.size(), &found_user);
  getgrgid_r(status.st_gid, &its, group_text.data(), group_text.size(), &found_group);
  if (!found_user || !found_group || std::string_view(user.pw_name) != its.gr_name) return false;
  for (char** member = its.gr_mem; *member; ++member) {
    if (std::string_view(*member) != user.pw_name) return false;
  }
  return true;
}

bool IsWritableByOthers(const struct stat& status) {
  if ((status.st_mode & S_IWOTH) != 0) return true;
  return (status.st_mode & S_IWGRP) != 0 && !IsGroupOfOwner(status);
}

absl::Status Untrusted(const std::string& path, const std::string& why, const std::string& remedy) {
  return absl::FailedPreconditionError(absl::StrCat(
      path, ": is not read, since others could change it: ", why, "; enter `", remedy, "`"));
}

absl::Status CheckFile(const std::string& path, const struct stat& status) {
  if (!IsOurs(status)) {
    return Untrusted(path, absl::StrFormat("it belongs to user %d", status.st_uid),
                     absl::StrFormat("chown %d %s", geteuid(), path));
  }
  if (IsWritableByOthers(status)) {
    return Untrusted(path, absl::StrFormat("its mode is %04o", status.st_mode & 07777),
                     absl::StrCat("chmod go-w ", path));
  }
  return absl::OkStatus();
}

// Whoever can write a directory can put another file, or another directory, into the place of what
// is there.
absl::Status CheckDirectory(const std::string& path, const std::string& directory) {
  struct stat status {};
  if (stat(directory.c_str(), &status) != 0) return CannotFollow(path, errno);
  if (IsReadOnly(directory)) return absl::OkStatus();
  if (!IsOurs(status)) {
    return Untrusted(path, absl::StrFormat("%s belongs to user %d", directory, status.st_uid),
                     absl::StrFormat("chown %d %s", geteuid(), directory));
  }
  const bool is_sticky = (status.st_mode & S_ISVTX) != 0;
  if (!IsWritableByOthers(status) || is_sticky) return absl::OkStatus();
  return Untrusted(path,
                   absl::StrFormat("the mode of %s is %04o", directory, status.st_mode & 07777),
                   absl::StrCat("chmod go-w ", directory));
}

// Whether whoever has made an entry of the directory can put another into its place, though the
// directory is one that CheckDirectory lets pass.
bool IsForEverybody(const std::string& directory) {
  struct stat status {};
  return stat(directory.c_str(), &status) == 0 && IsWritableByOthers(status) &&
         !IsReadOnly(directory);
}

// Walks as the kernel does, name by name and link by link, to the file that was opened.
absl::Status CheckWay(const std::string& path, const struct stat& opened) {
  std::error_code error;
  const std::filesystem::path start = std::filesystem::absolute(path, error);
  if (error) return CannotFollow(path, error.value());
  std::list<std::filesystem::path> rest(start.begin(), start.end());
  std::filesystem::path at = "/";  // a directory, and no link to one, until the last
  struct stat status {};
  for (int links = 0; !rest.empty();) {
    const std::filesystem::path name = rest.front();
    rest.pop_front();
    if (name.empty() || name == ".") continue;
    if (name == "..") at = at.parent_path();
    if (name == "/") at = "/";
    if (name == ".." || name == "/") continue;
    if (absl::Status trusted = CheckDirectory(path, at); !trusted.ok()) return trusted;
    const std::filesystem::path entry = at / name;
    if (lstat(entry.c_str(), &status) != 0) return CannotFollow(path, errno);
    if (!S_ISLNK(status.st_mode)) {
      at = entry;
      continue;
    }
    if (++links > kMostLinks) return CannotFollow(path, ELOOP);
    if (!IsOurs(status) && IsForEverybody(at)) {
      return Untrusted(
          path, absl::StrFormat("the link %s belongs to user %d", entry.string(), status.st_uid),
          absl::StrFormat("chown -h %d %s", geteuid(), entry.string()));
    }
    const std::filesystem::path target = std::filesystem::read_symlink(entry, error);
    if (error) return CannotFollow(path, error.value());
    rest.insert(rest.begin(), target.begin(), target.end());
  }
  const bool is_that = status.st_dev == opened.st_dev && status.st_ino == opened.st_ino;
  return is_that ? absl::OkStatus()
                 : absl::UnavailableError(path + ": was replaced while it was read; read it again");
}

}  // namespace

absl::Status CheckTrustedFile(const std::string& path, const struct stat& status) {
  if (absl::Status trusted = CheckFile(path, status); !trusted.ok()) return trusted;
  return CheckWay(path, status);
}

absl::StatusOr<std::string> ReadTrustedFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return CannotRead(path, errno);
  const absl::Cleanup closing = [fd] { close(fd); };
  struct stat status {};
  if (fstat(fd, &status) != 0) return CannotFollow(path, errno);
  if (S_ISREG(status.st_mode)) {
    if (absl::Status trusted = CheckTrustedFile(path, status); !trusted.ok()) return trusted;
  }
  std::string content;
  while (true) {
    const size_t size = content.size();
    content.resize(size + kPieceBytes);
    const ssize_t count = read(fd, content.data() + size, kPieceBytes);
    content.resize(size + (count > 0 ? static_cast<size_t>(count) : 0));
    if (count == 0) break;
    if (count < 0 && errno != EINTR) return CannotRead(path, errno);
  }
  DropByteOrderMark(&content);
  return content;
}

}  // namespace jobtail
