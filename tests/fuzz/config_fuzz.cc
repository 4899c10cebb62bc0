// Config files: each is refused with places and reasons, or gives jobs that stay the same when the
// file is written anew.

#include <google/protobuf/text_format.h>

#include <string>
#include <vector>

#include "jobtail/config/v1/config.pb.h"
#include "jobtail/v1/job.pb.h"
#include "server/config/config.h"
#include "tests/fuzz/fuzz.h"

namespace jobtail::config {
namespace {

using fuzz::Check;

constexpr char kFile[] = "jobs.txt";

void CheckRefusal(const absl::Status& status) {
  Check(absl::IsInvalidArgument(status), "what is wrong with a file is the file's",
        status.ToString());
  const std::string message(status.message());
  const std::string first = message.substr(0, message.find('\n'));
  int line = 0, column = 0, length = 0;
  const int found = sscanf(first.c_str(), "jobs.txt:%d:%d: %n", &line, &column, &length);
  Check(found == 2 && line > 0 && column > 0 && length > 0, "a mistake has a place", first);
}

void CheckJobs(const std::vector<Job>& jobs, const v1::Config& config) {
  Check(jobs.size() == static_cast<size_t>(config.job_size()), "each job of the file is a job");
  for (size_t i = 0; i < jobs.size(); ++i) {
    Check(jobs[i].name() == config.job(static_cast<int>(i)).name(), "in order");
    Check(jobs[i].Check().ok(), "a job that was taken makes sense", jobs[i].Check().ToString());
  }
}

// The jobs are never run, so there is no pool.
void Run(const std::string& text) {
  const auto jobs = Parse(text, kFile, nullptr);
  if (!jobs.ok()) return CheckRefusal(jobs.status());
  v1::Config config;
  Check(google::protobuf::TextFormat::ParseFromString(text, &config), "the library reads it, too");
  CheckJobs(*jobs, config);

  std::string written;
  google::protobuf::TextFormat::PrintToString(config, &written);
  const auto again = Parse(written, kFile, nullptr);
  Check(again.ok(), "a file that is written anew is read", again.status().ToString());
  CheckJobs(*again, config);
  for (size_t i = 0; i < jobs->size(); ++i) {
    Check((*jobs)[i].proto().SerializeAsString() == (*again)[i].proto().SerializeAsString(),
          "and means the same", written);
  }
}

}  // namespace
}  // namespace jobtail::config

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 8192) return 0;
  jobtail::config::Run(std::string(jobtail::fuzz::AsText(data, size)));
  return 0;
}
