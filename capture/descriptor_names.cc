// Symbolic links followed to the folder of this process's descriptors in /proc.

#include "capture/descriptor_names.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <string>
#include <string_view>

#include "capture/cancellation.h"
#include "capture/readable.h"
#include "capture/real.h"

namespace jobtail::capture::internal {
namespace {

// As many as the kernel follows.
constexpr int kMaxLinks = 40;

// Removes `prefix` from the front of `text`, if it is there.
bool Consume(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<int> Number(std::string_view text) {
  int number;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// What the symbolic link is; nothing if it is something else.
std::optional<std::string> ReadLink(int directory, const std::string& name) {
  std::array<char, PATH_MAX> space;
  const ssize_t size = readlinkat(directory, name.c_str(), space.data(), space.size());
  if (size < 0 || static_cast<size_t>(size) == space.size()) return std::nullopt;
  return std::string(space.data(), static_cast<size_t>(size));
}

// An open folder, in which further names are looked up.
class Folder {
 public:
  explicit Folder(int fd) : fd_(fd) {}
  ~Folder() { Close(); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  int fd() const { return fd_; }

  // Goes on to the folder that `path` lies in. False if it cannot be had.
  bool GoTo(const std::string& path) {
    const int next = Real<"openat64", int(int, const char*, int, ...)>()(
        fd_, path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (next < 0) return false;
    Close();
    fd_ = next;
    owned_ = true;
    return true;
  }

  // Whether it is /proc/PID/fd or /proc/PID/task/TID/fd of this process.
  bool HoldsOwnDescriptors() const {
    const auto path = ReadLink(AT_FDCWD, "/proc/self/fd/" + std::to_string(fd_));
    if (!path) return false;
    std::string_view rest = *path;
    if (!Consume(rest, "/proc/" + std::to_string(getpid()) + "/")) return false;
    if (!Consume(rest, "task/")) return rest == "fd";
    rest.remove_prefix(std::min(rest.find('/'), rest.size()));
    return rest == "/fd";
  }

 private:
  void Close() {
    if (owned_) Real<"close", int(int)>()(fd_);
  }

  int fd_;
  bool owned_ = false;
};

std::optional<int> Follow(int directory, std::string name) {
  Folder folder(directory);
  for (int i = 0; i < kMaxLinks; ++i) {
    std::optional<std::string> target = ReadLink(folder.fd(), name);
    if (!target) return std::nullopt;
    const size_t slash = name.rfind('/');
    const bool bare = slash == std::string::npos;
    if (!folder.GoTo(bare ? "." : name.substr(0, slash + 1))) return std::nullopt;
    const std::string_view last = std::string_view(name).substr(bare ? 0 : slash + 1);
    if (folder.HoldsOwnDescriptors()) return Number(last);
    name = std::move(*target);
  }
  return std::nullopt;
}

}  // namespace

std::optional<int> NamedDescriptor(int directory, const char* name) {
  if (!Readable::IsPath(name)) return std::nullopt;  // the system says what is wrong with it
  const std::string_view text = name;
  if (text == "/dev/stdout") return 1;
  if (text == "/dev/stderr") return 2;
  const NoCancellation no_cancellation;
  const int before = errno;
  const std::optional<int> fd = Follow(directory, name);
  errno = before;
  return fd;
}

}  // namespace jobtail::capture::internal
