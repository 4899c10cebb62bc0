// The engine that runs commands, and what its tests read of their output.

#include "tests/server/process/process_fixture.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/codec/log_line.h"
#include "tests/server/support/following.h"
#include "tests/server/support/records.h"

namespace jobtail::testing {
namespace {

class CommandExecutor : public Executor {
 public:
  CommandExecutor(process::Command command, process::ProcessPool* pool)
      : command_(std::move(command)), pool_(pool) {}

  absl::Status Start(std::shared_ptr<Execution> run) const override {
    pool_->Start(command_, std::move(run));
    return absl::OkStatus();
  }

 private:
  const process::Command command_;
  process::ProcessPool* const pool_;
};

}  // namespace

process::Command ProcessTest::Program(std::vector<std::string> arguments) {
  process::Command command;
  command.arguments = std::move(arguments);
  command.environment = {"PATH=/usr/bin:/bin"};
  return command;
}

process::Command ProcessTest::Shell(const std::string& script) {
  return Program({"/bin/sh", "-c", script});
}

std::string ProcessTest::StartCommand(process::Command command) {
  const std::string name = absl::StrCat("command-", ++jobs_);
  AddJob(Job(name, std::make_shared<CommandExecutor>(std::move(command), &pool_)));
  return Start(name);
}

std::vector<v1::LogLine> ProcessTest::RunCommand(process::Command command) {
  return AwaitLog(StartCommand(std::move(command)));
}

bool ProcessTest::AwaitLine(const std::string& run, const std::string& line) {
  return Eventually([&] {
    for (const v1::LogLine& record : ReadLog(run)) {
      if (record.text() == line) return true;
      if (record.has_result()) ADD_FAILURE() << "ended: " << record.result().ShortDebugString();
    }
    return false;
  });
}

std::string Printed(const std::vector<v1::LogLine>& records, v1::Stream stream) {
  std::string printed;
  for (const v1::LogLine& record : records) {
    if (record.stream() != stream || record.has_result()) continue;
    absl::StrAppend(&printed, record.has_raw() ? record.raw() : record.text());
    printed += EndingBytes(record.ending());
  }
  return printed;
}

std::vector<std::string> Lines(const std::vector<v1::LogLine>& records) {
  std::vector<std::string> texts;
  for (const v1::LogLine& record : records) {
    if (record.has_text()) texts.push_back(record.text());
  }
  return texts;
}

}  // namespace jobtail::testing
