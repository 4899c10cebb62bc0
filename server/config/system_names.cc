// Names of signals, priorities and libraries that the system knows.

#include "server/config/system_names.h"

#include <re2/re2.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace jobtail::config {

std::optional<int> ParseSignal(const std::string& name) {
  const std::string wanted(absl::StripPrefix(name, "SIG"));
  for (int number = 1; number < NSIG; ++number) {
    const char* const known = sigabbrev_np(number);
    if (known && wanted == known) return number;
  }
  return std::nullopt;
}

absl::StatusOr<process::User> LookUpUser(const std::string& name) {
  absl::StatusOr<process::User> user = process::FindUser(name);
  if (user.ok()) return user;
  return absl::NotFoundError(absl::StrCat(std::string(user.status().message()),
                                          "; give one that `getent passwd` lists, or none"));
}

std::optional<int> ParseIoPriority(const std::string& text) {
  constexpr int kClassShift = 13;
  constexpr int kRealtime = 1, kBestEffort = 2, kIdle = 3;
  if (text == "idle") return kIdle << kClassShift;
  std::string name;
  int level;
  if (!RE2::FullMatch(text, "(best-effort|realtime):([0-7])", &name, &level)) return std::nullopt;
  return (name == "realtime" ? kRealtime : kBestEffort) << kClassShift | level;
}

std::optional<std::string> FindLineBufferLibrary() {
  for (const char* directory :
       {"/usr/libexec/coreutils", "/usr/lib/coreutils", "/usr/lib/x86_64-linux-gnu/coreutils"}) {
    std::string path = absl::StrCat(directory, "/libstdbuf.so");
    if (access(path.c_str(), R_OK) == 0) return path;
  }
  return std::nullopt;
}

}  // namespace jobtail::config
