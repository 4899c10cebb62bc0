// Changing the file of tokens: one at a time, and as a whole or not at all.
#include "server/access/token_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "base/files/diagnostics.h"
#include "base/files/trusted_file.h"
#include "base/quoting.h"

namespace jobtail::access {
namespace {

using google::protobuf::TextFormat;

constexpr char kHeader[] =
    "# The tokens of a jobtail server, written by `jobtaild token`. There are no secrets in it.\n";

std::string Format(absl::Time time) {
  return absl::FormatTime(absl::RFC3339_sec, time, absl::UTCTimeZone());
}

absl::Status Failed(const std::string& what) {
  const int error = errno;
  const std::string message = absl::StrCat(what, ": ", strerror(error));
  return error == EACCES || error == EPERM ? absl::PermissionDeniedError(message)
                                           : absl::UnknownError(message);
}

absl::Status WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count < 0 && errno != EINTR) return Failed("cannot write");
    if (count > 0) text.remove_prefix(static_cast<size_t>(count));
  }
  return absl::OkStatus();
}

// Puts `text` in the place of the file's content, on the disk. Who reads sees the one or the other.
// `directory` is the file's.
absl::Status Replace(int directory, const std::string& file, const std::string& text) {
  std::string temporary = file + ".XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);  // of mode 0600
  if (fd < 0) return Failed(absl::StrCat(file, ": cannot make a file beside it"));
  absl::Cleanup remove = [&] { unlink(temporary.c_str()); };
  const absl::Cleanup closing = [fd] { close(fd); };
  struct stat old {};
  if (stat(file.c_str(), &old) == 0 && (old.st_uid != geteuid() || old.st_gid != getegid()) &&
      fchown(fd, old.st_uid, old.st_gid) != 0) {
    return Failed(absl::StrCat(file, ": its owner cannot be kept; run this as that user"));
  }
  if (absl::Status written = WriteAll(fd, text); !written.ok()) return written;
  if (fsync(fd) != 0) return Failed(absl::StrCat(file, ": cannot be written"));
  if (rename(temporary.c_str(), file.c_str()) != 0) {
    return Failed(absl::StrCat(file, ": cannot be replaced"));
  }
  std::move(remove).Cancel();
  // Or a revoked token could be back after a loss of power.
  if (fsync(directory) != 0) return Failed(absl::StrCat(file, ": its directory cannot be written"));
  return absl::OkStatus();
}

// Reads the file, has it changed, and writes it, while nobody else does.
absl::Status Change(const std::string& file,
                    const std::function<absl::Status(v1::TokenFile*)>& change) {
  const std::string directory = std::filesystem::path(file).parent_path();
  const int folder = open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_CLOEXEC);
  if (folder < 0) return Failed(absl::StrCat(file, ": its directory cannot be opened"));
  const absl::Cleanup unlock = [folder] { close(folder); };
  while (flock(folder, LOCK_EX) != 0) {
    if (errno != EINTR) return Failed(absl::StrCat(file, ": its directory cannot be locked"));
  }
  absl::StatusOr<v1::TokenFile> tokens = ReadTokens(file);
  if (absl::IsNotFound(tokens.status())) tokens = v1::TokenFile();
  if (!tokens.ok()) return tokens.status();
  if (absl::Status changed = change(&*tokens); !changed.ok()) return changed;
  std::string text;
  TextFormat::PrintToString(*tokens, &text);
  return Replace(folder, file, kHeader + text);
}

absl::Status CheckNew(const NewToken& token) {
  if (!IsTokenName(token.name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("name ", Quoted(token.name),
                     ": give letters, digits and \"-._@\", at most 63, and not \"anonymous\""));
  }
  for (const std::string& group : token.groups) {
    if (IsTokenName(group)) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("group ", Quoted(group), ": give letters, digits and \"-._@\", at most 63"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::TokenFile> ReadTokens(const std::string& file) {
  const absl::StatusOr<std::string> text = ReadTrustedFile(file);
  if (!text.ok()) return text.status();
  Diagnostics diagnostics(file);
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&diagnostics);
  v1::TokenFile tokens;
  if (!parser.ParseFromString(*text, &tokens)) return diagnostics.status();
  return tokens;
}

absl::StatusOr<std::string> CreateToken(const std::string& file, const NewToken& token,
                                        absl::Time now) {
  if (absl::Status right = CheckNew(token); !right.ok()) return right;
  std::string secret = MakeToken();
  const absl::Status changed = Change(file, [&](v1::TokenFile* tokens) {
    v1::Token& added = *tokens->add_token();
    added.set_id(std::string(TokenId(secret)));
    added.set_sha256(ToHex(DigestOf(secret)));
    added.set_name(token.name);
    for (const std::string& group : token.groups) added.add_group(group);
    added.set_created(Format(now));
    if (token.expires != absl::InfiniteFuture()) added.set_expires(Format(token.expires));
    return absl::OkStatus();
  });
  if (!changed.ok()) return changed;
  return secret;
}

absl::StatusOr<v1::Token> RevokeToken(const std::string& file, const std::string& id,
                                      absl::Time now) {
  v1::Token revoked;
  const absl::Status changed = Change(file, [&](v1::TokenFile* tokens) {
    v1::Token* found = nullptr;
    int of_name = 0;
    for (v1::Token& token : *tokens->mutable_token()) {
      const bool is_named = token.name() == id && token.revoked().empty();
      of_name += is_named ? 1 : 0;
      if (token.id() == id || is_named) found = &token;
      if (token.id() == id) {
        of_name = 1;
        break;
      }
    }
    if (!found) {
      return absl::NotFoundError(
          absl::StrCat("no token ", Quoted(id), "; `jobtaild token list` tells which there are"));
    }
    if (of_name > 1) {
      return absl::InvalidArgumentError(absl::StrCat(
          Quoted(id), " is the name of ", of_name,
          " tokens; give the ID of the one you mean, which `jobtaild token list` tells"));
    }
    if (found->revoked().empty()) found->set_revoked(Format(now));
    revoked = *found;
    return absl::OkStatus();
  });
  if (!changed.ok()) return changed;
  return revoked;
}

std::string_view StateOf(const v1::Token& token, absl::Time now) {
  if (!token.revoked().empty()) return "revoked";
  absl::Time expires = absl::InfiniteFuture();
  if (!token.expires().empty()) {
    absl::ParseTime(absl::RFC3339_full, token.expires(), &expires, nullptr);
  }
  return now >= expires ? "expired" : "active";
}

}  // namespace jobtail::access
