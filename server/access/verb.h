// What can be done with jobs and runs, and with whose runs.
#ifndef JOBTAIL_SERVER_ACCESS_VERB_H_
#define JOBTAIL_SERVER_ACCESS_VERB_H_

#include <array>
#include <cstdint>
#include <string_view>

namespace jobtail::access {

// The numbers are those of the API's and the access file's enumerations; a test compares them.
enum class Verb {
  kList = 1,
  kRead = 2,
  kReadLog = 3,
  kRun = 4,
  kCancel = 5,
  kDelete = 6,
  kMetrics = 7,
  kAdmin = 8,
};

inline constexpr std::array kVerbs = {Verb::kList,   Verb::kRead,   Verb::kReadLog, Verb::kRun,
                                      Verb::kCancel, Verb::kDelete, Verb::kMetrics, Verb::kAdmin};

// "READ_LOG", as the access file and the audit log have it.
std::string_view NameOf(Verb verb);

// With whose runs of a job something may be done.
enum class Scope { kNone, kOwn, kAll };

// A set of verbs, a bit for each.
using VerbSet = uint32_t;
constexpr VerbSet SetOf(Verb verb) { return 1U << static_cast<int>(verb); }
inline constexpr VerbSet kAnyVerb = ~VerbSet{0};

}  // namespace jobtail::access

#endif  // JOBTAIL_SERVER_ACCESS_VERB_H_
