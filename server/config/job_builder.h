// The making of one job from its part of the config file.
#ifndef JOBTAIL_SERVER_CONFIG_JOB_BUILDER_H_
#define JOBTAIL_SERVER_CONFIG_JOB_BUILDER_H_

#include <optional>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/files/diagnostics.h"
#include "jobtail/config/v1/config.pb.h"
#include "server/config/command_executor.h"
#include "server/run/job.h"

namespace jobtail::config {

// What the file says for jobs that do not say it themselves.
struct JobDefaults {
  std::optional<process::User> user;  // nothing: the server's
  process::Limits limits;
};

// Makes a job of what the config file says of it, and notes all that is wrong with it. For one job.
class JobBuilder {
 public:
  // `place` is that of `config` in the file, `tree` has those of its fields. All outlive this.
  JobBuilder(const v1::Job& config, Diagnostics::Location place, Diagnostics::Tree* tree,
             const JobDefaults& defaults, Diagnostics* diagnostics)
      : config_(config),
        place_(place),
        tree_(tree),
        defaults_(defaults),
        diagnostics_(diagnostics) {}

  // Nothing if the diagnostics have something new.
  std::optional<Job> Build(process::ProcessPool* pool);

 private:
  bool CheckParameterCount();
  void CheckParameterNames();
  void CheckAllUsed();
  CommandTemplate MakeCommand();
  void SetProgram(CommandTemplate* command);
  void SetEnvironment(CommandTemplate* command);
  void SetProcess(process::Command* command);
  void SetCommandLimits(process::Command* command);
  void SetOutput(process::Command* command);
  void SetLineBuffered(CommandTemplate* command);
  void SetLimits(Job* job);
  void SetKeep(Job* job);

  // In what everybody can see a secret must not be.
  Template ParseTemplate(const char* field, int index, const std::string& text, bool visible,
                         Diagnostics::Tree* tree, const google::protobuf::Descriptor& type);
  Template ParseTemplate(const char* field, int index, const std::string& text, bool visible) {
    return ParseTemplate(field, index, text, visible, tree_, *v1::Job::descriptor());
  }
  absl::Duration ParseDuration(const char* field, const std::string& text,
                               absl::Duration otherwise);
  void Error(const char* field, const std::string& message, int index = -1);
  void ErrorIn(Diagnostics::Tree* tree, const google::protobuf::Descriptor& type, const char* field,
               const std::string& message, int index = -1);
  Diagnostics::Tree* Nested(const char* field, int index) const;

  const v1::Job& config_;
  const Diagnostics::Location place_;
  Diagnostics::Tree* const tree_;
  const JobDefaults& defaults_;
  Diagnostics* const diagnostics_;
  bool failed_ = false;
  std::set<std::string> used_;
};

}  // namespace jobtail::config

#endif  // JOBTAIL_SERVER_CONFIG_JOB_BUILDER_H_
