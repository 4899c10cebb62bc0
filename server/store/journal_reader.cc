// Walks over the frames of a journal that may be damaged.
#include "server/store/journal_reader.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/store/own_file.h"

namespace jobtail {
namespace {

// Of the journals that servers of format 1 made, both halves together.
constexpr size_t kOldBytes = size_t{8} << 20;

absl::Status Unreadable(const std::string& path) {
  return absl::UnavailableError(absl::StrCat("journal ", path,
                                             ": cannot be read: ", strerror(errno),
                                             "; it is to be a file of the server's user, which can "
                                             "read and write it"));
}

// Nullopt if there is no such file.
absl::StatusOr<std::optional<std::string>> ReadFile(const std::string& path) {
  const int fd = OpenOwnFile(path, O_RDONLY);
  if (fd < 0 && errno == ENOENT) return std::nullopt;
  if (fd < 0) return Unreadable(path);
  std::string bytes;
  struct stat status;
  absl::Status error;
  if (fstat(fd, &status) != 0) {
    error = Unreadable(path);
  } else {
    bytes.resize(static_cast<size_t>(status.st_size));
  }
  size_t size = 0;
  while (error.ok() && size < bytes.size()) {
    const ssize_t count = read(fd, &bytes[size], bytes.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) error = Unreadable(path);
    if (count <= 0) break;
    size += static_cast<size_t>(count);
  }
  close(fd);
  if (!error.ok()) return error;
  bytes.resize(size);
  return bytes;
}

using Halves = std::array<std::vector<Frame>, 2>;

// `bytes` without a header, and how long a half of it is. Frames of the second half are of another
// epoch, wherever the first one ends.
Halves DecodeHalves(std::string_view bytes, size_t half_bytes) {
  return {DecodeHalf(bytes), DecodeHalf(bytes.substr(std::min(half_bytes, bytes.size())))};
}

// A file of version 1 does not say where its second half begins: in the middle, unless somebody has
// made the file longer since.
Halves DecodeOld(std::string_view bytes) {
  Halves halves = DecodeHalves(bytes, bytes.size() / 2);
  if (halves[1].empty()) halves = DecodeHalves(bytes, kOldBytes / 2);
  return halves;
}

bool IsEmpty(const Halves& halves) { return halves[0].empty() && halves[1].empty(); }

absl::StatusOr<Halves> DecodeFile(const std::string& path, std::string_view bytes) {
  const absl::StatusOr<std::optional<JournalHeader>> header = DecodeJournalHeader(bytes);
  const std::string_view rest = bytes.substr(std::min(kJournalHeaderBytes, bytes.size()));
  if (header.ok() && !*header) {
    Halves old = DecodeOld(bytes);
    return IsEmpty(old) ? DecodeHalves(rest, rest.size() / 2) : old;  // its header may be lost
  }
  if (!header.ok()) {
    spdlog::error("journal {}: {}; what is sound after it is taken", path,
                  header.status().ToString());
    return DecodeHalves(rest, rest.size() / 2);
  }
  if ((*header)->version != kJournalVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "journal ", path, ": a newer server has written it, in version ", (*header)->version,
        "; this one reads versions 1 to ", kJournalVersion,
        " and has changed nothing; start the newer server, or choose another directory"));
  }
  const int64_t half_bytes = std::max<int64_t>((*header)->half_bytes, 0);
  return DecodeHalves(rest, static_cast<size_t>(half_bytes));
}

int64_t EpochOf(const std::vector<Frame>& half) { return half.empty() ? 0 : half.front().epoch; }

}  // namespace

absl::StatusOr<std::vector<JournalEntry>> ReadJournal(const std::string& path) {
  const absl::StatusOr<std::optional<std::string>> bytes = ReadFile(path);
  if (!bytes.ok()) return bytes.status();
  if (!*bytes) return std::vector<JournalEntry>();
  absl::StatusOr<Halves> halves = DecodeFile(path, **bytes);
  if (!halves.ok()) return halves.status();
  if (EpochOf((*halves)[0]) > EpochOf((*halves)[1])) std::swap((*halves)[0], (*halves)[1]);
  std::vector<JournalEntry> entries;
  for (std::vector<Frame>& half : *halves) {
    for (Frame& frame : half) {
      if (frame.is_sound) {
        entries.push_back(std::move(frame.entry));
      } else {
        spdlog::error(
            "journal {}: a batch of run {} is left out: it has other records than it says", path,
            frame.entry.run);
      }
    }
  }
  return entries;
}

}  // namespace jobtail
