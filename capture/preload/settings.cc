// What the environment asks of the preloaded library.

#include "capture/preload/settings.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace jobtail::capture::preload {
namespace {

constexpr const char* kDirectory = "JOBTAIL_CAPTURE_DIR";
constexpr const char* kTag = "JOBTAIL_CAPTURE_TAG";
constexpr const char* kOutputs = "JOBTAIL_CAPTURE_OUTPUTS";

// The C library's own of those functions: bash has others of these names, which know its variables
// and not the environment, and it has not taken those from it yet.
template <typename Function>
Function* OfLibrary(const char* name, Function* otherwise) {
  auto* const found = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
  return found ? found : otherwise;
}

std::string_view Get(const char* name) {
  const char* const value = OfLibrary("getenv", &getenv)(name);
  return value ? value : "";
}

void Set(const char* name, const std::string& value) {
  OfLibrary("setenv", &setenv)(name, value.c_str(), 1);
}

void Unset(const char* name) { OfLibrary("unsetenv", &unsetenv)(name); }

// Nothing is captured, then; the program goes on as without the library.
Settings Refuse(const std::string& reason) {
  dprintf(STDERR_FILENO, "libjobtail_capture: %s; nothing is captured\n", reason.c_str());
  Unset(kDirectory);
  Unset(kTag);
  return {};
}

Settings Directory(const std::string& name) {
  const std::string setting = std::string(kDirectory) + "=" + name;
  char* const absolute = realpath(name.c_str(), nullptr);
  if (!absolute) return Refuse(setting + ": " + strerror(errno) + "; name a directory that exists");
  const std::string path = absolute;
  free(absolute);
  struct stat status;
  if (stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return Refuse(setting + " is not a directory");
  }
  if (access(path.c_str(), W_OK | X_OK) != 0) {
    return Refuse(setting + ": " + strerror(errno) + "; name a directory that can be written to");
  }
  Set(kDirectory, path);  // a process that is started elsewhere is to find it
  return {.mode = Settings::Mode::kDirectory, .directory = path};
}

Settings Tag(std::string_view value) {
  if (value == "1") return {.mode = Settings::Mode::kTag, .directory = {}};
  return Refuse(std::string(kTag) + "=" + std::string(value) + " means nothing; say 1 or nothing");
}

Settings Chosen() {
  const std::string_view directory = Get(kDirectory);
  const std::string_view tag = Get(kTag);
  if (!directory.empty() && !tag.empty()) {
    return Refuse(std::string(kDirectory) + " and " + kTag +
                  " exclude each other; set one of them");
  }
  if (!directory.empty()) return Directory(std::string(directory));
  return tag.empty() ? Settings{} : Tag(tag);
}

// Names what a descriptor leads to.
std::string Identity(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0) return "closed";
  return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

// Whether stdout and stderr are still those of the first process, which this may be.
std::array<bool, 2> InheritedOutputs() {
  const std::string out = Identity(STDOUT_FILENO);
  const std::string err = Identity(STDERR_FILENO);
  const std::string_view noted = Get(kOutputs);
  if (noted.empty()) {
    Set(kOutputs, out + "," + err);
    return {true, true};
  }
  const size_t comma = noted.find(',');
  const std::string_view rest = comma == std::string_view::npos ? "" : noted.substr(comma + 1);
  // Either may have become the other: 2>&1.
  const auto is_known = [&](const std::string& id) {
    return id == noted.substr(0, comma) || id == rest;
  };
  return {is_known(out), is_known(err)};
}

}  // namespace

Settings Settings::FromEnvironment() {
  Settings settings = Chosen();
  if (settings.mode == Mode::kOff) return settings;
  settings.captured = InheritedOutputs();
  if (!settings.captured[0] && !settings.captured[1]) settings.mode = Mode::kOff;
  return settings;
}

}  // namespace jobtail::capture::preload
