// The side of the server: this program started once more for a job's function.

#include "server/process/function_process.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "jobtail/v1/run.pb.h"
#include "server/process/child.h"
#include "server/process/outputs.h"
#include "server/process/protocol.h"
#include "server/run/parameter_check.h"

namespace jobtail::process {
namespace {

std::vector<std::string> OwnArguments() {
  std::ifstream file("/proc/self/cmdline");
  std::vector<std::string> arguments;
  for (std::string argument; std::getline(file, argument, '\0');) arguments.push_back(argument);
  return arguments;
}

std::vector<std::string> OwnEnvironment() {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable; ++variable) variables.emplace_back(*variable);
  variables.push_back(absl::StrCat(kChildVariable, "=1"));
  return variables;
}

v1::Run Describe(const Execution& run) {
  v1::Run proto;
  proto.set_id(run.id());
  proto.set_job(run.job());
  for (const auto& [name, value] : run.parameters()) {
    (*proto.mutable_parameters())[name] = FormatValue(value);
  }
  return proto;
}

}  // namespace

FunctionProcess::FunctionProcess(const ChildProcess& how, ProcessPool* pool) : pool_(pool) {
  std::error_code error;
  // First this very file, also if there is another one in its place by then. The system does not
  // let everybody have that of a program with special rights.
  command_.paths = {absl::StrCat("/proc/", getpid(), "/exe"),
                    std::filesystem::read_symlink("/proc/self/exe", error)};
  command_.arguments = OwnArguments();
  command_.environment = OwnEnvironment();
  command_.calls_function = true;
  command_.stop_signal = kStopSignal;
  command_.grace = how.grace;
  command_.output = how.exact_order ? OutputMode::kExact : OutputMode::kPipes;
}

absl::Status FunctionProcess::Start(std::shared_ptr<Execution> run) const {
  if (absl::Status room = CheckDescriptors(); !room.ok()) return room;
  Command command = command_;
  std::error_code error;
  command.directory = std::filesystem::current_path(error);
  command.input = Describe(*run).SerializeAsString();
  pool_->Start(std::move(command), std::move(run));
  return absl::OkStatus();
}

}  // namespace jobtail::process
