// The check that a job's values stay values.
#ifndef JOBTAIL_SERVER_CONFIG_VALUE_CHECK_H_
#define JOBTAIL_SERVER_CONFIG_VALUE_CHECK_H_

#include <functional>
#include <string>

#include "jobtail/config/v1/config.pb.h"
#include "server/config/command_executor.h"

namespace jobtail::config {

// Takes what is wrong: the job's field, its index or -1, and what to do about it.
using ReportFunction =
    std::function<void(const char* field, int index, const std::string& message)>;

// Reports where whoever starts a run of the job could do more than give a value: have code or
// another program run, set a variable that programs obey, or, by a value that begins with "-", give
// an option. The last can be known only of what is in the file; what a run brings, `command`
// refuses by the marks that this sets in it.
void CheckValues(const v1::Job& config, CommandTemplate* command, const ReportFunction& report);

}  // namespace jobtail::config

#endif  // JOBTAIL_SERVER_CONFIG_VALUE_CHECK_H_
