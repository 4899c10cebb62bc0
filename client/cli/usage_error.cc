// CLI11's complaints in terms of our command line.

#include "client/cli/usage_error.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/nearest_names.h"
#include "base/quoting.h"

namespace jobtail::client::cli {
namespace {

// The name before CLI11's ": ...", as in "--from: 1 required N missing".
std::string NameIn(const std::string& message) { return message.substr(0, message.find(':')); }

std::string Unknown(const Grammar& grammar, const CLI::App* command, const std::string& word) {
  if (absl::StartsWith(word, "-")) {
    const std::string name = word.substr(0, word.find('='));
    return absl::StrCat(
        "there is no option ", Printable(name),
        DidYouMean(name, Grammar::OptionNames(command != nullptr ? *command : grammar.app())));
  }
  if (command != nullptr) {
    return absl::StrCat("'", Printable(word), "' is one too many for ", command->get_name());
  }
  return absl::StrCat("there is no command ", Printable(word),
                      DidYouMean(word, grammar.Commands()));
}

// The first word that CLI11 could not place: it keeps those of the command apart.
std::string FirstUnknown(const Grammar& grammar, const CLI::App* command) {
  for (const CLI::App* app : {static_cast<const CLI::App*>(&grammar.app()), command}) {
    const std::vector<std::string> rest =
        app != nullptr ? app->remaining() : std::vector<std::string>();
    if (!rest.empty()) return rest[0];
  }
  return "";
}

std::string What(const Grammar& grammar, const CLI::App* command, const CLI::Error& error,
                 const std::vector<std::string>& arguments) {
  const std::string message = error.what();
  if (const std::string word = FirstUnknown(grammar, command); !word.empty()) {
    return Unknown(grammar, command, word);
  }
  if (error.get_name() == "ArgumentMismatch" && !arguments.empty()) {
    return absl::StrCat(NameIn(message), " needs a value");
  }
  if (error.get_name() == "RequiredError" && command == nullptr) {
    return absl::StrCat("say what to do: ", absl::StrJoin(grammar.Commands(), ", "));
  }
  if (error.get_name() == "RequiredError") {
    return absl::StrCat(command->get_name(), " needs a ",
                        NameIn(message).substr(0, message.find(' ')));
  }
  return Printable(message);
}

}  // namespace

std::string DescribeUsageError(const Grammar& grammar, const CLI::Error& error,
                               const std::vector<std::string>& arguments) {
  const std::vector<CLI::App*> commands = grammar.app().get_subcommands();
  const CLI::App* command = commands.empty() ? nullptr : commands[0];
  return absl::StrCat(What(grammar, command, error, arguments), "; see jobtail ",
                      command != nullptr ? absl::StrCat("help ", command->get_name()) : "--help");
}

}  // namespace jobtail::client::cli
