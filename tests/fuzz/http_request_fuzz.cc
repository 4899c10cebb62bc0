// The bytes of a request, through the parser, as the HTTP door takes them. What passes its checks
// can be read in one way only, and means the same when it is asked for by its whole address.

#include <string>
#include <string_view>

#include "server/http/asio.h"
#include "server/http/guard.h"
#include "server/http/query.h"
#include "server/http/request_check.h"
#include "server/http/responses.h"
#include "server/http/router.h"
#include "tests/fuzz/fuzz.h"

namespace jobtail::http {
namespace {

using fuzz::Check;
using Parser = beast::http::request_parser<beast::http::string_body>;
using beast::http::field;
using beast::http::verb;

bool Parse(std::string_view bytes, Parser* parser) {
  const HttpOptions options;
  parser->header_limit(options.max_header_bytes);
  parser->body_limit(options.max_body_bytes);
  parser->eager(true);  // the body, too, as far as it is there
  ErrorCode error;
  for (size_t used = 0; used < bytes.size() && !parser->is_done();) {
    const size_t took =
        parser->put(net::const_buffer(bytes.data() + used, bytes.size() - used), error);
    used += took;
    if (error == beast::http::error::need_more) break;
    if (error) return false;
    if (took == 0) break;
  }
  return parser->is_header_done();
}

void CheckOnce(const Message& request) {
  for (const char* name : {"Host", "Origin", "Referer", "Sec-Fetch-Site", "Sec-Purpose", "Purpose",
                           "User-Agent", "Content-Type", "Content-Length", "Last-Event-ID"}) {
    Check(request.count(name) <= 1, "what is no list is there once", name);
  }
  Check(request.version() < 11 || request.count(field::host) == 1, "there is a Host");
}

// "http://host/path" as proxies are asked, in place of "/path" and a Host.
void CheckWholeAddress(const Message& request) {
  const std::string target(request.target());
  const std::string host(Field(request, "Host"));
  if (!target.starts_with('/') || host.empty() || host.find_first_of("/?#@") != host.npos) return;
  Message whole = request;
  whole.target("http://" + host + target);
  whole.set(field::host, "elsewhere");
  const absl::Status clear = CheckUnambiguous(&whole);
  Check(clear.ok(), "it can be asked for by its whole address", clear.ToString());
  Check(whole.target() == request.target(), "which has the same path", target);
  Check(Field(whole, "Host") == host, "and the same host", host);
}

void CheckGuards(const Message& request) {
  Provenance from{
      .method = std::string_view(request.method_string().data(), request.method_string().size()),
      .host = Field(request, "Host"),
      .origin = Field(request, "Origin"),
      .referer = Field(request, "Referer"),
      .fetch_site = Field(request, "Sec-Fetch-Site"),
      .content_type = Field(request, "Content-Type")};
  const HttpOptions options;
  from.own_address = "192.0.2.7";
  const absl::Status elsewhere = CheckHost(from, options);
  from.on_loopback = true;
  const absl::Status here = CheckHost(from, options);
  for (const absl::Status& host : {elsewhere, here}) {
    Check(host.ok() || absl::IsPermissionDenied(host), "a host is refused as one", host.ToString());
  }
  Check(here.ok() || !elsewhere.ok(), "elsewhere is the stricter of the two",
        std::string(from.host));
  const absl::Status origin = CheckOrigin(from, options);
  Check(origin.ok() || absl::IsPermissionDenied(origin) || absl::IsInvalidArgument(origin),
        "an origin is refused as one", origin.ToString());
  const absl::Status form = CheckForm(from, options);
  Check(!origin.ok() || form.ok(), "who may change something may send a form", form.ToString());
  Check(!form.ok() || !IsFromOwnPage(from) || from.fetch_site != "cross-site",
        "no page of another site is one of ours");
}

void CheckMeaning(const Message& request) {
  const Request asked = ToRequest(request);
  const std::string_view target(request.target().data(), request.target().size());
  Check(asked.path.size() + asked.query.size() <= target.size(), "both are of the target");
  Check(target.starts_with(asked.path) && target.ends_with(asked.query), "its two ends");
  const auto match = FindRoute(asked.method, asked.path);
  Check(match.ok() || !match.status().message().empty(), "a refusal has a reason");
  const auto query = ParseQuery(asked.query);
  Check(query.ok() || absl::IsInvalidArgument(query.status()), "a query is refused as one");
}

void Run(std::string_view bytes) {
  Parser parser;
  if (!Parse(bytes, &parser)) return;
  Message& request = parser.get();
  const absl::Status clear = CheckUnambiguous(&request);
  if (!clear.ok()) return Check(absl::IsInvalidArgument(clear), "a refusal is the client's");
  const std::string target(request.target());
  Check(target.starts_with('/') || (target == "*" && request.method() == verb::options),
        "what is asked for is a path", target);
  CheckOnce(request);
  Check(CheckUnambiguous(&request).ok() && request.target() == target, "what is clear stays so");
  CheckWholeAddress(request);
  CheckGuards(request);
  CheckMeaning(request);
  const absl::Status encoding = CheckEncoding(request);
  Check(encoding.ok() || absl::IsInvalidArgument(encoding), "a refusal is the client's");
}

}  // namespace
}  // namespace jobtail::http

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  jobtail::http::Run(jobtail::fuzz::AsText(data, size));
  return 0;
}
