// The page tokens of one list, and the proof that they come to an end.
#ifndef JOBTAIL_CLIENT_PAGE_TOKENS_H_
#define JOBTAIL_CLIENT_PAGE_TOKENS_H_

#include <set>
#include <string>

#include "absl/status/status.h"

namespace jobtail::client {

// Notes the page tokens of one list while its pages are asked for: a token that comes a second time
// would have the same pages asked for again, without end, and so would ever new ones of pages with
// nothing on them. For one thread.
class PageTokens {
 public:
  // Notes the token of the next page, and how many entries the present one has. DATA_LOSS, which no
  // retry mends, if the token has come before, or nothing comes any more.
  absl::Status Note(const std::string& token, int entries);

 private:
  std::set<std::string> tokens_;
  int empty_pages_ = 0;  // in a row
};

}  // namespace jobtail::client

#endif  // JOBTAIL_CLIENT_PAGE_TOKENS_H_
