// The jobs of child_process_test, which its server and the children of that have in common.
#ifndef JOBTAIL_TESTS_E2E_CHILD_PROCESS_JOBS_H_
#define JOBTAIL_TESTS_E2E_CHILD_PROCESS_JOBS_H_

#include "server/server.h"

namespace jobtail::e2e {

// Adds them, each to run in a process of its own.
void AddJobs(Server& server);

}  // namespace jobtail::e2e

#endif  // JOBTAIL_TESTS_E2E_CHILD_PROCESS_JOBS_H_
