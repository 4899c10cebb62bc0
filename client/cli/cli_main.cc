// From the command line to the exit code.

#include "client/cli/cli_main.h"

#include <signal.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "client/cli/commands.h"
#include "client/cli/completion.h"
#include "client/cli/fd_writer.h"
#include "client/cli/options.h"
#include "client/login/renewal.h"
#include "client/run_state.h"

namespace jobtail::client::cli {
namespace {

void Say(int fd, const std::string& text) {
  size_t written;
  (void)FdWriter(fd, "the terminal").Write(text, &written);
}

// The threads that gRPC starts for it leave SIGINT and SIGTERM to the others: see Interrupts.
absl::StatusOr<std::shared_ptr<grpc::Channel>> Connect(const CommonOptions& common) {
  sigset_t ours;
  sigset_t before;
  sigemptyset(&ours);
  sigaddset(&ours, SIGINT);
  sigaddset(&ours, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ours, &before);
  auto channel = OpenChannel(common.server, common.credentials);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return channel;
}

// A sign-in to this server counts where nothing else says who calls. Not for what begins or ends
// one.
absl::Status UseLogin(const Options& options, CommonOptions* common) {
  const bool is_about_logins = std::holds_alternative<LoginOptions>(options.command) ||
                               std::holds_alternative<LogoutOptions>(options.command) ||
                               std::holds_alternative<CompletionOptions>(options.command);
  CredentialFiles& credentials = common->credentials;
  const bool is_given = !credentials.token_file.empty() || !credentials.certificate_file.empty();
  if (is_about_logins || is_given) return absl::OkStatus();
  absl::StatusOr<std::string> login = FreshLogin(common->server);
  if (!login.ok()) return login.status();
  credentials.token_file = *std::move(login);
  common->is_signed_in = !credentials.token_file.empty();
  return absl::OkStatus();
}

}  // namespace

Client MakeClient(const CommonOptions& common) {
  ClientOptions options;
  options.retry_for = absl::Seconds(3);
  options.accept_compression = common.compression;
  return common.channel ? Client(common.channel, options) : Client(common.server, options);
}

ResumeOptions MakeResumeOptions(const CommonOptions& common) {
  ResumeOptions options;
  const std::string& token_file = common.credentials.token_file;
  if (common.is_signed_in) {
    options.renew_credentials = LoginRenewal(common.server);
  } else if (!token_file.empty()) {
    options.renew_credentials = TokenFileRenewal(token_file);
  }
  return options;
}

absl::StatusOr<int> PrintToStdout(const std::string& text) {
  size_t written;
  absl::Status status = FdWriter(STDOUT_FILENO, "stdout").Write(text, &written);
  if (absl::IsAborted(status)) return 128 + SIGPIPE;
  if (!status.ok()) return status;
  return 0;
}

int Main(int argc, const char* const* argv) {
  if (argc > 1 && absl::string_view(argv[1]) == "__complete") return ExecuteComplete(argc, argv);
  const ParseResult parsed = ParseOptions(argc, argv);
  if (!parsed.options.has_value()) {
    Say(parsed.exit_code == 0 ? STDOUT_FILENO : STDERR_FILENO, parsed.text);
    return parsed.exit_code;
  }
  CommonOptions common = parsed.options->common;
  if (absl::Status used = UseLogin(*parsed.options, &common); !used.ok()) {
    Say(STDERR_FILENO, absl::StrCat("jobtail: ", used.message(), "\n"));
    return kExitOwnFailure;
  }
  auto channel = Connect(common);
  if (!channel.ok()) {
    Say(STDERR_FILENO, absl::StrCat("jobtail: ", channel.status().message(), "\n"));
    return kExitOwnFailure;
  }
  common.channel = *std::move(channel);
  const absl::StatusOr<int> code = std::visit(
      [&](const auto& command) { return Execute(common, command); }, parsed.options->command);
  if (code.ok()) return *code;
  Say(STDERR_FILENO, absl::StrCat("jobtail: ", code.status().message(), "\n"));
  return kExitOwnFailure;
}

}  // namespace jobtail::client::cli
