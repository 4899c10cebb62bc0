// The page tokens of one list, and the proof that they come to an end.
#ifndef JOBTAIL_CLIENT_PAGE_TOKENS_H_
#define JOBTAIL_CLIENT_PAGE_TOKENS_H_

#include <set>
#include <string>

#include "absl/status/status.h"

namespace jobtail::client {

// Notes the page tokens of one list while its pages are asked for: a token that comes a second time
// would have the same pages asked for again, without end. For one thread.
class PageTokens {
 public:
  // Notes the token of the next page. DATA_LOSS, which no retry mends, if it has come before.
  absl::Status Note(const std::string& token);

 private:
  std::set<std::string> tokens_;
};

}  // namespace jobtail::client

#endif  // JOBTAIL_CLIENT_PAGE_TOKENS_H_
