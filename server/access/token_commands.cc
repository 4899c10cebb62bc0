// `jobtaild token create | list | revoke`.
#include "server/access/token_commands.h"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "base/files/trusted_file.h"
#include "base/quoting.h"
#include "server/access/access_policy.h"
#include "server/access/token_file.h"

namespace jobtail::access {
namespace {

// What the commands' options are read into.
struct Options {
  std::string token_file;
  std::string access_file;
  std::string name;
  std::vector<std::string> groups;
  double expires_seconds = 0;
};

int Failed(const absl::Status& status) {
  std::cerr << "jobtaild token: " << std::string(status.message()) << std::endl;
  return 1;
}

// The file of --token-file, or that which the access file names.
absl::StatusOr<std::string> FileOf(const Options& options) {
  if (!options.token_file.empty()) return options.token_file;
  if (options.access_file.empty()) {
    return absl::InvalidArgumentError(
        "which server's tokens? give --access-file=FILE, as the server has it, or "
        "--token-file=FILE");
  }
  const absl::StatusOr<std::string> text = ReadTrustedFile(options.access_file);
  if (!text.ok()) return text.status();
  const auto policy = AccessPolicy::Parse(*text, options.access_file);
  if (!policy.ok()) return policy.status();
  if (!(*policy)->proto().token_file().empty()) return (*policy)->proto().token_file();
  return absl::InvalidArgumentError(
      absl::StrCat(options.access_file, ": has no token_file; add token_file: \"tokens\""));
}

// The token alone goes to stdout, for whoever stores it.
int Create(const Options& options) {
  const absl::StatusOr<std::string> file = FileOf(options);
  if (!file.ok()) return Failed(file.status());
  NewToken token{.name = options.name, .groups = options.groups};
  const absl::Time now = absl::Now();
  if (options.expires_seconds > 0) token.expires = now + absl::Seconds(options.expires_seconds);
  const absl::StatusOr<std::string> created = CreateToken(*file, token, now);
  if (!created.ok()) return Failed(created.status());
  std::cout << *created << std::endl;
  std::cerr << "This is the only time that the token is shown." << std::endl;
  return 0;
}

std::string OrDash(const std::string& text) { return text.empty() ? "-" : text; }

int List(const Options& options) {
  const absl::StatusOr<std::string> file = FileOf(options);
  if (!file.ok()) return Failed(file.status());
  const absl::StatusOr<v1::TokenFile> tokens = ReadTokens(*file);
  if (absl::IsNotFound(tokens.status())) return 0;
  if (!tokens.ok()) return Failed(tokens.status());
  size_t width = 4;
  for (const v1::Token& token : tokens->token()) width = std::max(width, token.name().size());
  const int columns = static_cast<int>(width);
  std::cout << absl::StrFormat("%-16s  %-*s  %-7s  %-25s  %-25s  %s\n", "ID", columns, "NAME",
                               "STATE", "CREATED", "EXPIRES", "GROUPS");
  for (const v1::Token& token : tokens->token()) {
    std::cout << absl::StrFormat(
        "%-16s  %-*s  %-7s  %-25s  %-25s  %s\n", Printable(token.id()), columns,
        Printable(token.name()), std::string(StateOf(token, absl::Now())),
        OrDash(Printable(token.created())), OrDash(Printable(token.expires())),
        OrDash(Printable(absl::StrJoin(token.group(), ","))));
  }
  std::cout.flush();
  return 0;
}

int Revoke(const Options& options) {
  const absl::StatusOr<std::string> file = FileOf(options);
  if (!file.ok()) return Failed(file.status());
  const absl::StatusOr<v1::Token> revoked = RevokeToken(*file, options.name, absl::Now());
  if (!revoked.ok()) return Failed(revoked.status());
  std::cout << "revoked " << revoked->id() << " of " << Printable(revoked->name()) << std::endl;
  return 0;
}

}  // namespace

void AddTokenCommands(CLI::App* flags) {
  const auto options = std::make_shared<Options>();  // the callbacks have it
  CLI::App* const token =
      flags->add_subcommand("token", "Makes, lists and revokes the tokens that prove who calls");
  token->require_subcommand(1);
  const auto add = [=](const std::string& name, const std::string& description,
                       int (*act)(const Options&)) {
    CLI::App* const command = token->add_subcommand(name, description);
    command->add_option("--access-file", options->access_file,
                        "The server's access file, which names the file of its tokens");
    command->add_option("--token-file", options->token_file, "The file of the tokens itself");
    command->callback([=] { throw CLI::RuntimeError(act(*options)); });
    return command;
  };
  CLI::App* const create = add("create", "Makes a token and prints it, this once", Create);
  create->add_option("NAME", options->name, "The name of whom it is for")->required();
  create->add_option("--group", options->groups, "A group of theirs; may be given again");
  create
      ->add_option("--expires", options->expires_seconds,
                   "How long it is worth something, such as 90d; otherwise until it is revoked")
      ->transform(CLI::AsNumberWithUnit(
          std::map<std::string, double>{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86'400}},
          CLI::AsNumberWithUnit::UNIT_REQUIRED, "TIME (s, m, h, d)"))
      ->check(CLI::PositiveNumber);
  add("list", "Lists the tokens, without their secrets", List);
  CLI::App* const revoke = add("revoke", "Makes a token worth nothing, at once", Revoke);
  revoke->add_option("ID", options->name, "Its ID, or its name if it is the only one")->required();
}

}  // namespace jobtail::access
