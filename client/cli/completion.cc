// What may stand where the cursor is: words of the grammar, and names that the server knows.

#include "client/cli/completion.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/quoting.h"
#include "client/cli/commands.h"
#include "client/cli/describe.h"
#include "client/cli/grammar.h"
#include "client/cli/settings.h"
#include "client/cli/time_format.h"
#include "client/login/renewal.h"
#include "client/run_state.h"

namespace jobtail::client::cli {
namespace {

using Candidates = std::vector<Candidate>;

constexpr int kMaxRuns = 100;
constexpr absl::Duration kPatience = absl::Milliseconds(700);

Candidates Words(std::initializer_list<const char*> words) {
  Candidates candidates;
  for (const char* word : words) candidates.push_back({word, ""});
  return candidates;
}

Candidates States() {
  Candidates candidates;
  for (int state = v1::RUN_STATE_PENDING; state <= v1::RUN_STATE_LOST; ++state) {
    const char* name = StateName(static_cast<v1::RunState>(state));
    candidates.push_back({absl::AsciiStrToLower(name), ""});
  }
  return candidates;
}

// One command line up to the cursor.
class Completer {
 public:
  explicit Completer(const std::vector<std::string>& words);
  Candidates Complete();

 private:
  const CLI::Option* FindOption(const std::string& name) const;
  void Take(const std::string& word);
  Candidates OptionValues(const std::string& option, const std::string& value);
  Candidates Positionals();
  Candidates Options() const;
  Candidates Commands() const;
  Candidates Jobs() const;
  Candidates Parameters() const;
  Candidates Values(const std::string& name) const;
  Candidates Runs(const std::function<bool(const v1::Run&)>& wanted) const;
  Candidates Contexts() const;
  void TakeValue(const std::string& option, const std::string& value);
  Client MakeClient() const;

  Grammar grammar_;
  std::string current_;
  const CLI::App* command_ = nullptr;     // null before it is given
  std::string open_option_;               // the option that the current word is the value of
  std::vector<std::string> positionals_;  // those before the current word
  std::set<std::string> given_;           // names of options before it
};

Completer::Completer(const std::vector<std::string>& words)
    : current_(words.empty() ? "" : words.back()) {
  (void)ApplySettings(&grammar_.raw());
  for (size_t i = 0; i + 1 < words.size(); ++i) Take(words[i]);
}

const CLI::Option* Completer::FindOption(const std::string& name) const {
  const CLI::App& app = command_ != nullptr ? *command_ : grammar_.app();
  return app.get_option_no_throw(name);
}

// Follows the grammar over a word that is complete.
void Completer::Take(const std::string& word) {
  if (!open_option_.empty()) {
    TakeValue(open_option_, word);
    open_option_.clear();
  } else if (absl::StartsWith(word, "-") && word.size() > 1) {
    const size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    given_.insert(name);
    const CLI::Option* option = FindOption(name);
    const bool takes_value = option != nullptr && option->get_items_expected_max() > 0;
    if (takes_value && equals == std::string::npos) open_option_ = name;
    if (equals != std::string::npos) TakeValue(name, word.substr(equals + 1));
  } else if (command_ == nullptr) {
    command_ = grammar_.FindCommand(word);
    if (command_ == nullptr) positionals_.push_back(word);
  } else {
    positionals_.push_back(word);
  }
}

// What names the server that is asked for candidates.
void Completer::TakeValue(const std::string& option, const std::string& value) {
  RawOptions& raw = grammar_.raw();
  if (option == "--server") raw.server = value;
  if (option == "--context") raw.context = value;
  if (option == "--tls-ca") raw.credentials.ca_file = value;
  if (option == "--tls-cert") raw.credentials.certificate_file = value;
  if (option == "--tls-key") raw.credentials.key_file = value;
  if (option == "--token-file") raw.credentials.token_file = value;
}

Candidates Completer::Contexts() const {
  Candidates candidates;
  for (const auto& [name, context] : grammar_.raw().contexts) {
    const auto server = context.settings.find("server");
    candidates.push_back({name, server == context.settings.end() ? "" : server->second.value});
  }
  return candidates;
}

Candidates Completer::Complete() {
  if (!open_option_.empty()) return OptionValues(open_option_, current_);
  if (absl::StartsWith(current_, "-")) {
    const size_t equals = current_.find('=');
    if (equals == std::string::npos) return Options();
    const std::string name = current_.substr(0, equals);
    Candidates values = OptionValues(name, current_.substr(equals + 1));
    for (Candidate& value : values) value.word = absl::StrCat(name, "=", value.word);
    return values;
  }
  if (command_ != nullptr) return Positionals();
  if (!positionals_.empty() && positionals_[0] != "help") return {};
  return Commands();
}

Candidates Completer::OptionValues(const std::string& option, const std::string& value) {
  if (option == "--color") return Words({"auto", "always", "never"});
  if (option == "--job") return Jobs();
  if (option == "--context") return Contexts();
  if (option == "--output") {
    const std::string command = command_ != nullptr ? command_->get_name() : "";
    if (command == "run" || command == "tail") return Words({"text", "json", "raw"});
    return Words({"text", "json"});
  }
  if (option != "--state") return {};
  const size_t comma = value.rfind(',');
  const std::string before = comma == std::string::npos ? "" : value.substr(0, comma + 1);
  Candidates states = States();
  for (Candidate& state : states) state.word = before + state.word;
  return states;
}

Candidates Completer::Positionals() {
  const std::string command = command_->get_name();
  const bool is_first = positionals_.empty();
  if (command == "run") return is_first ? Jobs() : Parameters();
  if (command == "jobs") return is_first ? Jobs() : Candidates();
  if (command == "completion") return is_first ? Words({"bash", "zsh", "fish"}) : Candidates();
  if (command == "tail") return Runs([](const v1::Run&) { return true; });
  if (!is_first || command == "runs") return {};
  if (command == "cancel") return Runs([](const v1::Run& run) { return !IsFinal(run.state()); });
  if (command == "rm") return Runs([](const v1::Run& run) { return IsFinal(run.state()); });
  return Runs([](const v1::Run&) { return true; });
}

Candidates Completer::Options() const {
  Candidates candidates;
  const CLI::App& app = command_ != nullptr ? *command_ : grammar_.app();
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      const std::string word = "--" + name;
      if (!given_.contains(word)) candidates.push_back({word, option->get_description()});
    }
  }
  return candidates;
}

Candidates Completer::Commands() const {
  Candidates candidates;
  for (const CLI::App* command : grammar_.app().get_subcommands(nullptr)) {
    candidates.push_back({command->get_name(), command->get_description()});
  }
  if (positionals_.empty()) candidates.push_back({"help", "Tell more about a command"});
  return candidates;
}

Candidates Completer::Jobs() const {
  Candidates candidates;
  const absl::StatusOr<std::vector<v1::Job>> jobs = AllJobs(MakeClient());
  if (!jobs.ok()) return candidates;
  for (const v1::Job& job : *jobs) candidates.push_back({job.name(), job.help()});
  return candidates;
}

Candidates Completer::Parameters() const {
  const size_t equals = current_.find('=');
  if (equals != std::string::npos) return Values(current_.substr(0, equals));
  Candidates candidates;
  const absl::StatusOr<v1::Job> job = MakeClient().GetJob(positionals_[0]);
  if (!job.ok()) return candidates;
  for (const v1::Parameter& parameter : job->parameters()) {
    const std::string word = parameter.name() + "=";
    const bool is_given = std::any_of(
        positionals_.begin(), positionals_.end(),
        [&](const std::string& positional) { return absl::StartsWith(positional, word); });
    if (!is_given) candidates.push_back({word, parameter.help()});
  }
  return candidates;
}

// "name=value" for each value that is known to be right.
Candidates Completer::Values(const std::string& name) const {
  Candidates candidates;
  const absl::StatusOr<v1::Job> job = MakeClient().GetJob(positionals_[0]);
  if (!job.ok()) return candidates;
  for (const v1::Parameter& parameter : job->parameters()) {
    if (parameter.name() != name) continue;
    std::set<std::string> values(parameter.values().begin(), parameter.values().end());
    if (parameter.type() == v1::PARAMETER_TYPE_BOOL) values = {"true", "false"};
    if (!parameter.default_value().empty()) values.insert(parameter.default_value());
    for (const std::string& value : values) {
      const bool is_default = value == parameter.default_value();
      candidates.push_back({absl::StrCat(name, "=", value), is_default ? "the default" : ""});
    }
  }
  return candidates;
}

Candidates Completer::Runs(const std::function<bool(const v1::Run&)>& wanted) const {
  Candidates candidates;
  const absl::StatusOr<std::vector<v1::Run>> runs = LatestRuns(MakeClient(), {}, kMaxRuns);
  if (!runs.ok()) return candidates;
  for (const v1::Run& run : *runs) {
    const bool is_given =
        std::find(positionals_.begin(), positionals_.end(), run.id()) != positionals_.end();
    if (!wanted(run) || is_given) continue;
    const std::string since = run.has_create_time() ? LocalTime(run.create_time()) : "";
    candidates.push_back(
        {run.id(), absl::StrCat(run.job(), " ", StateName(run.state()), " ", since)});
  }
  return candidates;
}

Client Completer::MakeClient() const {
  ClientOptions options;
  options.call_timeout = kPatience;
  options.retry_for = absl::ZeroDuration();
  RawOptions raw = grammar_.raw();
  raw.credentials.tls |= given_.contains("--tls");
  (void)ChooseServer(given_.contains("--server"), given_.contains("--context"), &raw);
  const bool is_given =
      !raw.credentials.token_file.empty() || !raw.credentials.certificate_file.empty();
  if (!is_given) raw.credentials.token_file = ValidLogin(raw.server);
  auto channel = OpenChannel(raw.server, raw.credentials);
  return channel.ok() ? Client(*std::move(channel), options) : Client(raw.server, options);
}

}  // namespace

std::vector<Candidate> Complete(const std::vector<std::string>& words) {
  Candidates candidates = Completer(words).Complete();
  const std::string current = words.empty() ? "" : words.back();
  candidates.erase(std::remove_if(candidates.begin(), candidates.end(),
                                  [&](const Candidate& candidate) {
                                    return !absl::StartsWith(candidate.word, current);
                                  }),
                   candidates.end());
  return candidates;
}

int ExecuteComplete(int argc, const char* const* argv) {
  std::vector<std::string> words(argv, argv + argc);
  words.erase(words.begin(),
              words.begin() + std::min<std::ptrdiff_t>(argc, 3));  // jobtail __complete --
  std::string text;
  for (const Candidate& candidate : Complete(words)) {
    if (Printable(candidate.word) != candidate.word) continue;  // to be typed by nobody
    absl::StrAppend(&text, candidate.word, "\t", Printable(candidate.help), "\n");
  }
  (void)PrintToStdout(text);
  return 0;
}

}  // namespace jobtail::client::cli
