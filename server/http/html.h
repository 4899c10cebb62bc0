// The page that needs no script.
#ifndef JOBTAIL_SERVER_HTTP_HTML_H_
#define JOBTAIL_SERVER_HTTP_HTML_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jobtail/v1/job.pb.h"
#include "jobtail/v1/run.pb.h"

namespace jobtail::http {

// The page of POST /stream/{job}: a run's output as it comes, in HTML that needs no script. Its
// pieces, in order: a head, text as often as there is some, the result.

// `root` is the way from the page to where the server's addresses begin: RootOf.

std::string HtmlHead(std::string_view job, std::string_view run, std::string_view root);
// Any bytes, so that they stay text: nothing of them is markup, and what would hide or turn around
// other text is made visible.
void AppendHtmlText(std::string_view bytes, std::string* html);
// Pages in one piece: one that asks whether the job is really to be run, with a button that says so
// to the page's own address; and one that says why it was not.
std::string HtmlQuestion(const v1::Job& job,
                         const std::vector<std::pair<std::string, std::string>>& parameters);
std::string HtmlError(std::string_view message, std::string_view root);
// One that says why somebody was not signed in.
std::string HtmlSignInError(std::string_view message, std::string_view root);

void AppendHtmlResult(const v1::RunResult& result, std::string* html);

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_HTML_H_
