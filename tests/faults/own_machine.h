// The machine that a test has to itself, whose clock and disks it may change.
#ifndef JOBTAIL_TESTS_FAULTS_OWN_MACHINE_H_
#define JOBTAIL_TESTS_FAULTS_OWN_MACHINE_H_

namespace jobtail::faults {

// Whether this is one, as tests/support/in_uml.sh makes it.
bool IsOwnMachine();

// It has no network until then.
void BringUpLoopback();

}  // namespace jobtail::faults

#endif  // JOBTAIL_TESTS_FAULTS_OWN_MACHINE_H_
