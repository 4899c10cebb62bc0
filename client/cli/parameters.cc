// Values of parameters, from the command line or from files.

#include "client/cli/parameters.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/quoting.h"
#include "base/utf8.h"

namespace jobtail::client::cli {
namespace {

constexpr size_t kMaxBytes = size_t{3} << 20;  // the message has to stay below gRPC's 4 MiB

// Closes what is not stdin.
struct OpenFile {
  ~OpenFile() {
    if (fd > STDIN_FILENO) close(fd);
  }
  const int fd;
};

// "" or what went wrong.
std::string Read(int fd, std::string* text) {
  char chunk[65536];
  while (text->size() <= kMaxBytes) {
    const ssize_t count = read(fd, chunk, sizeof chunk);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return strerror(errno);
    if (count == 0) break;
    text->append(chunk, count);
  }
  if (text->size() > kMaxBytes)
    return "it is larger than 3 MiB; give the job the file's name instead";
  if (IsUtf8(*text)) return "";
  return "it is not UTF-8; give the job the file's name instead";
}

absl::StatusOr<std::string> FileText(const std::string& parameter, const std::string& path) {
  const auto fail = [&](const std::string& why) {
    return absl::InvalidArgumentError(
        absl::StrCat("parameter ", Printable(parameter), ": cannot read '", Printable(path),
                     "': ", why, path.empty() ? "; write @@ for a literal @" : ""));
  };
  const OpenFile file = {path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) return fail(strerror(errno));
  std::string text;
  if (const std::string problem = Read(file.fd, &text); !problem.empty()) return fail(problem);
  if (absl::EndsWith(text, "\n")) text.pop_back();
  if (absl::EndsWith(text, "\r")) text.pop_back();
  return text;
}

}  // namespace

absl::StatusOr<std::map<std::string, std::string>> ReadParameters(
    const std::map<std::string, std::string>& typed) {
  std::map<std::string, std::string> parameters;
  for (const auto& [name, value] : typed) {
    if (absl::StartsWith(value, "@@") || !absl::StartsWith(value, "@")) {
      parameters[name] = value.substr(absl::StartsWith(value, "@@") ? 1 : 0);
      continue;
    }
    absl::StatusOr<std::string> text = FileText(name, value.substr(1));
    if (!text.ok()) return text.status();
    parameters[name] = *std::move(text);
  }
  return parameters;
}

}  // namespace jobtail::client::cli
