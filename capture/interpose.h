// The macro that puts a function before one of the C library, and how the linker comes to take it.
#ifndef JOBTAIL_CAPTURE_INTERPOSE_H_
#define JOBTAIL_CAPTURE_INTERPOSE_H_

#include <stdio.h>

#include <optional>

// Interposition: the program defines functions of the C library itself. The dynamic linker binds
// every call to them, from the program and from every shared library, including libstdc++'s on
// behalf of std::cout. Each of them asks whether the calling thread is captured and, if not, hands
// the call on unchanged.
//
// A definition is written under a name of our own with the C name as its symbol, so that it neither
// clashes with the C library's headers (inline versions, attributes) nor is mistaken for the known
// function by the compiler:
//
//   JOBTAIL_INTERPOSE(int, puts, (const char* text)) { ... }
#define JOBTAIL_INTERPOSE(result, name, parameters)        \
  extern "C" __attribute__((visibility("default")))        \
  result jobtail_capture_##name parameters __asm__(#name); \
  extern "C" result jobtail_capture_##name parameters

namespace jobtail::capture::internal {

// Called by the first Scope, so that the linker takes the interposed functions into every program
// that uses it. Only two do anything: LinkProcesses prepares for fork(), LinkMemory looks up what
// it interposes, as it does when the program begins.
void LinkStdio();
void LinkWide();
void LinkDescriptors();
void LinkFiles();
void LinkMemory();
void LinkMessages();
void LinkThreads();
void LinkRedirected();
void LinkOpenMp();
void LinkSignals();
void LinkVfork();
void LinkSyscall();
void LinkCancellation();
void LinkProcesses();

// pclose of a stream whose child a captured popen has started, also for a fclose in its place;
// nullopt, with nothing done, for any other stream.
std::optional<int> ClosePipe(FILE* file);

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_INTERPOSE_H_
