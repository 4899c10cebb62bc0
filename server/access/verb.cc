// The names of verbs.
#include "server/access/verb.h"

namespace jobtail::access {

std::string_view NameOf(Verb verb) {
  switch (verb) {
    case Verb::kList:
      return "LIST";
    case Verb::kRead:
      return "READ";
    case Verb::kReadLog:
      return "READ_LOG";
    case Verb::kRun:
      return "RUN";
    case Verb::kCancel:
      return "CANCEL";
    case Verb::kDelete:
      return "DELETE";
    case Verb::kMetrics:
      return "METRICS";
    case Verb::kAdmin:
      return "ADMIN";
  }
  return "";
}

}  // namespace jobtail::access
