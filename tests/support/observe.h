// Looks at what other processes do: whether one lives, what a file says, when something has come.
#ifndef JOBTAIL_TESTS_SUPPORT_OBSERVE_H_
#define JOBTAIL_TESTS_SUPPORT_OBSERVE_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

namespace jobtail::testing {

// Waits for something that comes by itself and that nobody tells of. False after a minute.
bool Eventually(const std::function<bool()>& condition);

// Whether there is a process of that number, zombies not counted.
bool IsAlive(pid_t pid);

// The most that the process ever had in memory, in bytes; -1 if that is not known, as under
// AddressSanitizer, which keeps much of what was freed.
int64_t PeakMemory(pid_t pid);

// Empty if there is no such file.
std::string ReadFile(const std::string& path);
// In one step, for somebody who reads it meanwhile.
void WriteFile(const std::string& path, const std::string& text);

}  // namespace jobtail::testing

#endif  // JOBTAIL_TESTS_SUPPORT_OBSERVE_H_
