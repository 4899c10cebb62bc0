#ifndef JOBTAIL_SERVER_HTTP_HTML_H_
#define JOBTAIL_SERVER_HTTP_HTML_H_

#include <string>
#include <string_view>

#include "jobtail/v1/run.pb.h"

namespace jobtail::http {

// The page of GET /stream/{job}: a run's output as it comes, in HTML that needs no script. Its
// pieces, in order: a head, text as often as there is some, the result.

std::string HtmlHead(std::string_view job, std::string_view run);
// Any bytes, so that they stay text: nothing of them is markup, and what would hide or turn around
// other text is made visible.
void AppendHtmlText(std::string_view bytes, std::string* html);
void AppendHtmlResult(const v1::RunResult& result, std::string* html);

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_HTML_H_
