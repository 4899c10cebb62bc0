// The drawing of a run's progress on one line of a terminal.
#ifndef JOBTAIL_CLIENT_CLI_PROGRESS_BAR_H_
#define JOBTAIL_CLIENT_CLI_PROGRESS_BAR_H_

#include <cstddef>
#include <string>

#include "jobtail/v1/run.pb.h"

namespace jobtail::client::cli {

// A run's progress as one line of a terminal, shorter than its width, without newline:
// "[########------------]  40%  step 20  3.0s left". On a narrow terminal the text is cut, then the
// bar left out.
std::string ProgressBar(const v1::RunProgress& progress, size_t columns, bool color);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_PROGRESS_BAR_H_
