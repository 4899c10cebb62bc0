// Signing in to a server, and out.

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "base/fetch/url.h"
#include "base/quoting.h"
#include "client/cli/commands.h"
#include "client/cli/error_text.h"
#include "client/grpc_status.h"
#include "client/login/login_file.h"
#include "client/login/provider.h"

namespace jobtail::client::cli {
namespace {

constexpr char kDefaultScope[] = "openid";

// Whom to sign in with.
struct Issuer {
  std::string name;
  std::string address;
  std::string client_id;
  std::string scope;
};

// Those that the server names; whether it knows the caller does not matter.
absl::StatusOr<std::vector<Issuer>> AskServer(const CommonOptions& common) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + absl::Seconds(10)));
  context.set_wait_for_ready(false);
  v1::WhoAmIResponse who;
  const grpc::Status status =
      v1::JobService::NewStub(common.channel)->WhoAmI(&context, v1::WhoAmIRequest(), &who);
  std::vector<Issuer> issuers;
  const auto& metadata = context.GetServerTrailingMetadata();
  const auto [begin, end] = metadata.equal_range("jobtail-sign-in");
  for (auto hint = begin; hint != end; ++hint) {
    std::map<std::string, std::string> fields =
        DecodeForm({hint->second.data(), hint->second.size()});
    issuers.push_back({fields["name"], fields["issuer"], fields["client_id"],
                       fields["scope"].empty() ? kDefaultScope : fields["scope"]});
  }
  const bool has_answered = status.ok() || status.error_code() == grpc::UNAUTHENTICATED;
  if (!has_answered && issuers.empty()) return ExplainError(common, FromGrpc(status));
  return issuers;
}

// "Example (https://login.example.com)".
std::string NameOf(const Issuer& issuer) {
  const std::string address = Printable(issuer.address);
  return issuer.name.empty() ? address : absl::StrCat(Printable(issuer.name), " (", address, ")");
}

absl::StatusOr<Issuer> Choose(const CommonOptions& common, const LoginOptions& options) {
  if (!options.client_id.empty()) {
    return Issuer{"", options.issuer, options.client_id, kDefaultScope};
  }
  auto issuers = AskServer(common);
  if (!issuers.ok()) return issuers.status();
  if (issuers->empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "nobody signs in to ", Printable(common.server), ": its access file names no issuer with ",
        "a client_id; ask for a token, and give it with --token-file"));
  }
  std::vector<std::string> names;
  for (const Issuer& issuer : *issuers) {
    names.push_back(NameOf(issuer));
    if (options.issuer == issuer.address || options.issuer == issuer.name) return issuer;
  }
  if (options.issuer.empty() && issuers->size() == 1) return issuers->front();
  return absl::InvalidArgumentError(absl::StrCat(
      options.issuer.empty()
          ? "whom do you sign in with? give --issuer=ISSUER; there are "
          : absl::StrCat("there is no issuer ", Quoted(options.issuer), "; there are "),
      absl::StrJoin(names, ", ")));
}

absl::Status Say(const std::string& text) {
  const absl::StatusOr<int> printed = PrintToStdout(text);
  return printed.ok() && *printed == 0 ? absl::OkStatus()
                                       : absl::CancelledError("nobody reads this");
}

std::string Instructions(const CommonOptions& common, const Issuer& issuer,
                         const DeviceCode& code) {
  const std::string whole =
      code.whole_address.empty()
          ? ""
          : absl::StrCat("or open      ", Printable(code.whole_address), "\n");
  return absl::StrCat("Signing in to ", Printable(common.server), " with ", NameOf(issuer),
                      ", which calls it \"", Printable(issuer.client_id), "\".\n", "open         ",
                      Printable(code.address), "\nenter        ", Printable(code.user_code), "\n",
                      whole, "in a browser, and sign in there; Ctrl-C gives up\n");
}

// Who one is now. A token that the server does not take is not kept.
absl::StatusOr<v1::WhoAmIResponse> Try(const CommonOptions& common, const std::string& path) {
  CredentialFiles files = common.credentials;
  files.token_file = path;
  CommonOptions with_token = common;
  auto channel = OpenChannel(common.server, files);
  if (!channel.ok()) return channel.status();
  with_token.channel = *std::move(channel);
  auto who = MakeClient(with_token).WhoAmI();
  if (!who.ok()) return ExplainError(common, who.status());
  return who;
}

// As a command in another folder finds it, too.
std::string Absolute(const std::string& file) {
  std::error_code ignored;
  return file.empty() ? "" : std::filesystem::absolute(file, ignored).string();
}

absl::Status CheckWay(const CommonOptions& common) {
  if (common.credentials.uses_tls() || IsLocalServer(common.server)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the token would go to ", Printable(common.server),
                   " in plain text, for anybody between to read; give --tls, or --tls-ca"));
}

}  // namespace

absl::StatusOr<int> Execute(const CommonOptions& common, const LoginOptions& options) {
  if (absl::Status safe = CheckWay(common); !safe.ok()) return safe;
  const std::string path = LoginPath(common.server);
  if (path.empty()) return absl::FailedPreconditionError("there is no HOME to keep a login in");
  const absl::StatusOr<Issuer> issuer = Choose(common, options);
  if (!issuer.ok()) return issuer.status();
  Provider provider(issuer->address, issuer->client_id, options.ca_file);
  if (absl::Status found = provider.Discover(); !found.ok()) return found;
  const absl::StatusOr<DeviceCode> code = provider.BeginSignIn(issuer->scope);
  if (!code.ok()) return code.status();
  if (absl::Status said = Say(Instructions(common, *issuer, *code)); !said.ok()) return said;
  absl::StatusOr<Tokens> tokens = provider.AwaitSignIn(*code, absl::SleepFor);
  if (!tokens.ok()) return tokens.status();
  const StoredLogin login{.token = tokens->id_token,
                          .refresh_token = tokens->refresh_token,
                          .issuer = issuer->address,
                          .client_id = issuer->client_id,
                          .ca_file = Absolute(options.ca_file),
                          .expires = ExpiryOf(tokens->id_token)};
  if (absl::Status written = WriteLogin(path, login); !written.ok()) return written;
  const absl::StatusOr<v1::WhoAmIResponse> who = Try(common, path);
  if (!who.ok()) {
    RemoveLogin(path).IgnoreError();
    return who.status();
  }
  return PrintToStdout(absl::StrCat("signed in as ", Printable(who->name()), "\n"));
}

// The issuer is told before the file goes; that it cannot be told keeps nobody from signing out.
absl::StatusOr<int> Execute(const CommonOptions& common, const LogoutOptions& /*options*/) {
  const std::string path = LoginPath(common.server);
  const absl::StatusOr<StoredLogin> login = ReadLogin(path);
  const absl::StatusOr<bool> removed = RemoveLogin(path);
  if (!removed.ok()) return removed.status();
  const std::string server = Printable(common.server);
  if (!*removed) return PrintToStdout(absl::StrCat("nobody was signed in to ", server, "\n"));
  absl::Status revoked;
  if (login.ok() && !login->refresh_token.empty()) {
    Provider provider(login->issuer, login->client_id, login->ca_file);
    revoked = provider.Discover();
    if (revoked.ok()) revoked = provider.Revoke(login->refresh_token);
  }
  return PrintToStdout(absl::StrCat(
      "signed out of ", server,
      revoked.ok() ? "" : absl::StrCat("; but what renews the token lives on: ", revoked.message()),
      "\n"));
}

}  // namespace jobtail::client::cli
