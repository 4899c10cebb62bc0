// What is to go wrong in a process, as its tests write it and the injector in it reads it.
#ifndef JOBTAIL_TESTS_FAULTS_FAULT_PLAN_H_
#define JOBTAIL_TESTS_FAULTS_FAULT_PLAN_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace jobtail::faults {

// Calls to the system that can be made to fail, or to take long: bits of a rule's `calls`.
enum Call : uint32_t {
  kOpen = 1,       // open, openat
  kRead = 2,       // read, pread, and the C library's fread_unlocked
  kWrite = 4,      // write, pwrite, writev, pwritev
  kSync = 8,       // fsync, fdatasync
  kAccept = 16,    // accept, accept4
  kAllocate = 32,  // fallocate, posix_fallocate
  kTruncate = 64,  // ftruncate
  kMap = 128,      // mmap of a file
};

// One thing that goes wrong. It is written while it is off; `calls` goes last, and switches it on.
// The first rule of a plan that is for a call decides; only those that are hit are counted.
struct Rule {
  std::atomic<uint32_t> calls;      // for which; 0: off
  std::atomic<int32_t> error;       // errno; 0: the call is made, after the delay
  std::atomic<int64_t> left;        // so many times more; below 0: until it is switched off
  std::atomic<int64_t> hits;        // how often it was hit
  std::atomic<uint32_t> delay_ms;   // first of all the call takes so long, or until the rule is off
  std::atomic<uint32_t> per_mille;  // of the calls that it is for, so many of a thousand are hit
  // Part of the file's name below the directory, ended by NUL; empty: all files there, and sockets,
  // which have no name.
  std::array<std::atomic<char>, 32> part;
};

// A file of this size, which both sides map. The environment names it (JOBTAIL_FAULTS_CONTROL), and
// the directory whose files may fail (JOBTAIL_FAULTS_DIRECTORY), when the process begins; what is
// written to it counts from the next call on. In the processor's byte order, so that a script can
// write it, too (tests/faults/endurance).
struct Plan {
  std::atomic<uint64_t> random;  // the state of the dice for `per_mille`: a seed, to begin with
  std::array<Rule, 8> rules;
};

static_assert(std::atomic<int64_t>::is_always_lock_free);
static_assert(sizeof(Rule) == 64 && sizeof(Plan) == 8 + 8 * 64);
static_assert(offsetof(Rule, left) == 8 && offsetof(Rule, delay_ms) == 24 &&
              offsetof(Rule, part) == 32);

}  // namespace jobtail::faults

#endif  // JOBTAIL_TESTS_FAULTS_FAULT_PLAN_H_
