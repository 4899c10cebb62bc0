// Headers that could be read in two ways.
#include "server/http/request_check.h"

#include <string>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/quoting.h"

namespace jobtail::http {
namespace {

using beast::http::field;
using beast::http::verb;

absl::Status CheckLength(const Message& request) {
  const std::string coding = ListField(request, "Transfer-Encoding");
  if (coding.empty() || absl::EqualsIgnoreCase(coding, "chunked")) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("Transfer-Encoding: ", coding, " is not known here; use chunked, or none"));
}

// Those that Field reads. Were one there twice, each reader could take another one for it.
absl::Status CheckRepeated(const Message& request) {
  for (const char* name : {"Authorization", "Content-Length", "Content-Type", "Cookie", "Expect",
                           "Host", "Last-Event-ID", "Origin", "Purpose", "Referer",
                           "Sec-Fetch-Site", "Sec-Purpose", "User-Agent", "traceparent"}) {
    if (request.count(name) <= 1) continue;
    return absl::InvalidArgumentError(absl::StrCat("there is more than one ", name, "; give one"));
  }
  return absl::OkStatus();
}

absl::Status CheckHasHost(const Message& request) {
  if (request.count(field::host) > 0 || request.version() < 11) return absl::OkStatus();
  return absl::InvalidArgumentError("there is no Host; give one, such as \"Host: localhost\"");
}

// Where the authority of "http://authority/path" begins; 0 if it is no such address.
size_t AuthorityOf(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (absl::EqualsIgnoreCase(std::string(target.substr(0, scheme.size())), std::string(scheme))) {
      return scheme.size();
    }
  }
  return 0;
}

absl::Status TakeTarget(Message* request) {
  const std::string target(request->target());
  if (target.starts_with('/')) return absl::OkStatus();
  if (target == "*" && request->method() == verb::options) return absl::OkStatus();
  const size_t begin = AuthorityOf(target);
  const size_t end = std::min(target.find_first_of("/?#", begin), target.size());
  const std::string authority = target.substr(begin, end - begin);
  if (begin == 0 || authority.empty() || authority.find('@') != std::string::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is nothing at ", Quoted(target), "; give a path, such as /v1/jobs"));
  }
  request->set(field::host, authority);
  const std::string rest = target.substr(end);
  request->target(rest.starts_with('/') ? rest : "/" + rest);
  return absl::OkStatus();
}

// "utf-8" of "application/json; charset=UTF-8"; empty if there is none.
std::string Charset(std::string_view content_type) {
  const std::string type = absl::AsciiStrToLower(std::string(content_type));
  for (absl::string_view part : absl::StrSplit(type, ';')) {
    part = absl::StripAsciiWhitespace(part);
    if (!absl::ConsumePrefix(&part, "charset=")) continue;
    if (absl::ConsumePrefix(&part, "\"")) absl::ConsumeSuffix(&part, "\"");
    return std::string(part);
  }
  return "";
}

}  // namespace

absl::Status CheckEncoding(const Message& request) {
  const auto [begin, end] = request.equal_range(field::content_encoding);
  for (auto header = begin; header != end; ++header) {
    const std::string coding(header->value());
    if (coding.empty() || absl::EqualsIgnoreCase(coding, "identity")) continue;
    return absl::InvalidArgumentError(absl::StrCat("Content-Encoding ", Quoted(coding),
                                                   " is not known here; send the body as it is"));
  }
  const std::string charset = Charset(Field(request, "Content-Type"));
  if (charset.empty() || charset == "utf-8" || charset == "utf8") return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("charset ", Quoted(charset), " is not known here; send the body in UTF-8"));
}

absl::Status CheckUnambiguous(Message* request) {
  if (absl::Status length = CheckLength(*request); !length.ok()) return length;
  if (absl::Status repeated = CheckRepeated(*request); !repeated.ok()) return repeated;
  if (absl::Status host = CheckHasHost(*request); !host.ok()) return host;
  return TakeTarget(request);
}

}  // namespace jobtail::http
