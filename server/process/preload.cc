// Libraries that a command is started with (LD_PRELOAD).
#include "server/process/preload.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "server/process/machine.h"

namespace jobtail::process {
namespace {

// Whether nobody but root and this user can put another file there.
bool IsTrusted(std::filesystem::path path) {
  for (;; path = path.parent_path()) {
    struct stat file {};
    if (lstat(path.c_str(), &file) != 0 || S_ISLNK(file.st_mode)) return false;
    const bool is_ours = file.st_uid == 0 || file.st_uid == geteuid();
    const bool is_shared = S_ISDIR(file.st_mode) && (file.st_mode & S_ISVTX) != 0;
    if (!is_ours || ((file.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !is_shared)) return false;
    if (path == path.root_path()) return true;
  }
}

// Whether whoever has these rights may do what `bit` of 4 (read) and 1 (search) says.
bool May(const User& user, const struct stat& file, mode_t bit) {
  if (user.uid == 0) return true;
  if (file.st_uid == user.uid) return (file.st_mode & (bit << 6)) != 0;
  const bool in_group = file.st_gid == user.gid || std::ranges::count(user.groups, file.st_gid) > 0;
  return (file.st_mode & (in_group ? bit << 3 : bit)) != 0;
}

// The linker would complain of one that cannot be read, in the command's own output.
bool CanRead(const std::optional<User>& user, const std::filesystem::path& path) {
  struct stat file {};
  if (stat(path.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) return false;
  if (!user) return access(path.c_str(), R_OK) == 0;
  if (!May(*user, file, 4)) return false;
  for (auto above = path.parent_path();; above = above.parent_path()) {
    if (stat(above.c_str(), &file) != 0 || !May(*user, file, 1)) return false;
    if (above == above.root_path()) return true;
  }
}

std::vector<std::filesystem::path> Places() {
  std::vector<std::filesystem::path> places;
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) places.push_back(program.parent_path().parent_path() / JOBTAIL_EXACT_PATH);
  places.emplace_back(JOBTAIL_EXACT_INSTALLED_PATH);
  return places;
}

std::string* Find(const char* name, std::vector<std::string>* environment) {
  const auto found = std::ranges::find_if(
      *environment, [&](const std::string& variable) { return variable.starts_with(name); });
  return found == environment->end() ? nullptr : &*found;
}

std::vector<std::string> TrustedLibraries() {
  std::vector<std::string> libraries;
  for (const std::filesystem::path& place : Places()) {
    // What the dynamic linker takes to be between two paths.
    const bool has_separator = place.native().find_first_of(" :") != std::string::npos;
    std::error_code error;
    const std::filesystem::path file = std::filesystem::canonical(place, error);
    if (!error && !has_separator && IsTrusted(file)) libraries.push_back(file.native());
  }
  return libraries;
}

// Whether the command's program could be one that loads the library.
bool Suits(const std::string& library, const Command& command) {
  for (const std::string& path : ProgramPaths(command)) {
    const std::filesystem::path file = std::filesystem::path(command.directory) / path;
    if (access(file.c_str(), F_OK) != 0) continue;
    const std::optional<Machine> machine = MachineOf(file);
    return !machine || machine == MachineOf(library);
  }
  return true;
}

void AddFirst(const char* variable, const std::string& value,
              std::vector<std::string>* environment) {
  if (std::string* const others = Find(variable, environment)) {
    others->insert(strlen(variable), value + ":");
  } else {
    environment->push_back(variable + value);
  }
}

}  // namespace

void AddExactLibrary(Command* command) {
  static const auto* const libraries = new std::vector<std::string>(TrustedLibraries());
  const auto library = std::ranges::find_if(
      *libraries, [&](const std::string& path) { return CanRead(command->user, path); });
  if (library == libraries->end() || !Suits(*library, *command)) return;
  AddFirst("LD_PRELOAD=", *library, &command->environment);
  AddFirst("ASAN_OPTIONS=", "verify_asan_link_order=0", &command->environment);
}

}  // namespace jobtail::process
