// What a run may take, as the config file says it.
#ifndef JOBTAIL_SERVER_CONFIG_LIMITS_H_
#define JOBTAIL_SERVER_CONFIG_LIMITS_H_

#include <functional>
#include <string>

#include "jobtail/config/v1/config.pb.h"
#include "server/process/command.h"

namespace jobtail::config {

// The limits that are given; for one that is not, that of `otherwise`. `error` is called with a
// sentence for each that is wrong.
process::Limits ParseLimits(const v1::Limits& limits, const process::Limits& otherwise,
                            const std::function<void(const std::string&)>& error);

}  // namespace jobtail::config

#endif  // JOBTAIL_SERVER_CONFIG_LIMITS_H_
