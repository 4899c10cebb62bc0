// Which of the tests of faults are run.
#ifndef JOBTAIL_TESTS_FAULTS_WHOLE_H_
#define JOBTAIL_TESTS_FAULTS_WHOLE_H_

#include <cstdlib>
#include <string_view>

namespace jobtail::faults {

// Whether all are: JOBTAIL_FAULTS=all in the environment. Without it, those that take a minute.
inline bool IsWhole() {
  const char* const wanted = std::getenv("JOBTAIL_FAULTS");
  return wanted && std::string_view(wanted) == "all";
}

}  // namespace jobtail::faults

#endif  // JOBTAIL_TESTS_FAULTS_WHOLE_H_
