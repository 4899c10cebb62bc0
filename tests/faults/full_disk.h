// What is expected of a server whose disk runs have filled.
#ifndef JOBTAIL_TESTS_FAULTS_FULL_DISK_H_
#define JOBTAIL_TESTS_FAULTS_FULL_DISK_H_

#include <chrono>
#include <string>
#include <vector>

#include "tests/faults/faulty_server.h"

namespace jobtail::faults {

// Expects that runs are refused for want of room within a minute, and then now and then for as long
// as `stays`, in which the runs print on. (Not always: files that could not be finished are
// deleted.) Returns what clients were told meanwhile.
Answers ExpectFull(const FaultyServer& server, std::chrono::seconds stays);

// Once there is room: cancels the runs, which are firehoses, and expects that each ends and that of
// its log nothing is missing but what it says the full disk has cost. That may be nothing.
void ExpectWholeLogs(const FaultyServer& server, const std::vector<std::string>& runs);

}  // namespace jobtail::faults

#endif  // JOBTAIL_TESTS_FAULTS_FULL_DISK_H_
