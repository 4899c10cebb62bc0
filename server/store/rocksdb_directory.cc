// Creates and checks a data directory before it is used.
#include "server/store/rocksdb_directory.h"

#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "server/store/durable_file.h"

namespace jobtail {
namespace {

namespace fs = std::filesystem;

// A line of text, for whoever looks at the directory: this, and a number.
constexpr char kFormatFile[] = "FORMAT";
constexpr absl::string_view kFormatText = "jobtail data directory, format ";

std::string What(const std::string& directory) {
  return absl::StrCat("data directory ", directory);
}

// A database that has lost the name of its newest description must not be taken for a new one,
// which would delete what it has.
absl::Status CheckIsWholeOrNew(const std::string& directory) {
  std::error_code error;
  if (fs::exists(directory + "/CURRENT", error)) return absl::OkStatus();
  for (fs::directory_iterator file(directory, error), end; !error && file != end;
       file.increment(error)) {
    const std::string name = file->path().filename().string();
    if (!absl::EndsWith(name, ".sst") && !absl::StartsWith(name, "MANIFEST-")) continue;
    return absl::DataLossError(
        absl::StrCat(What(directory), ": it has ", name, " but no file CURRENT; ",
                     "restore that (it names the newest MANIFEST), or choose another directory"));
  }
  return absl::OkStatus();
}

// The directory's format; 1 where nothing is said, as in one that is new.
absl::StatusOr<int> ReadFormat(const std::string& directory) {
  const std::string path = absl::StrCat(directory, "/", kFormatFile);
  std::error_code error;
  if (!fs::exists(path, error) && !error) return 1;
  std::ifstream file(path, std::ios::binary);
  std::string text;
  std::getline(file, text, '\0');  // all of it; unlike an iterator, it does not throw
  if (!file.is_open() || file.bad()) {
    return absl::UnavailableError(absl::StrCat(path, ": cannot be read"));
  }
  absl::string_view number = absl::StripAsciiWhitespace(text);
  int format;
  if (absl::ConsumePrefix(&number, kFormatText) && absl::SimpleAtoi(number, &format) &&
      format >= 1) {
    return format;
  }
  return absl::DataLossError(absl::StrCat(
      path, ": it says \"", absl::CHexEscape(text.substr(0, 100)), "\" where \"", kFormatText,
      kDirectoryFormat, "\" or an older number is expected; restore it from a backup"));
}

// Logs and parameters are for nobody but the server's user, whatever the umask.
absl::Status MakeDirectory(const std::string& directory) {
  std::error_code error;
  fs::path parent = fs::path(directory).parent_path();
  if (!fs::path(directory).has_filename()) parent = parent.parent_path();  // "DIR/"
  if (!parent.empty()) fs::create_directories(parent, error);
  struct stat info;
  if (!error && mkdir(directory.c_str(), 0700) == 0) return absl::OkStatus();
  if (stat(directory.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    return absl::UnavailableError(absl::StrCat(
        What(directory), ": cannot be made: ", error ? error.message() : strerror(errno)));
  }
  if ((info.st_mode & 0077) != 0) {
    spdlog::warn(
        "{}: others than its owner have rights to it (mode {:04o}), and may read logs, "
        "parameters and what is known of runs; chmod 700 takes them away",
        What(directory), info.st_mode & 07777);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status PrepareDirectory(const std::string& directory) {
  if (absl::Status made = MakeDirectory(directory); !made.ok()) return made;
  const absl::StatusOr<int> format = ReadFormat(directory);
  if (!format.ok()) return format.status();
  if (*format > kDirectoryFormat) {
    return absl::FailedPreconditionError(absl::StrCat(
        What(directory), ": a newer server has written it, in format ", *format,
        "; this one reads formats 1 to ", kDirectoryFormat,
        " and has changed nothing; start the newer server, or choose another directory"));
  }
  return CheckIsWholeOrNew(directory);
}

absl::Status MarkDirectoryFormat(const std::string& directory) {
  const absl::StatusOr<int> format = ReadFormat(directory);
  if (!format.ok()) return format.status();
  if (*format == kDirectoryFormat) return absl::OkStatus();
  const std::string path = absl::StrCat(directory, "/", kFormatFile);
  if (WriteDurably(directory, kFormatFile, absl::StrCat(kFormatText, kDirectoryFormat, "\n"))) {
    return absl::OkStatus();
  }
  return absl::UnavailableError(absl::StrCat(path, ": cannot be written: ", strerror(errno),
                                             "; make room, or give the right"));
}

}  // namespace jobtail
