// The headers of responses.
#include "server/http/responses.h"

#include <zlib.h>

#include <array>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "server/http/guard.h"

namespace jobtail::http {
namespace {

using beast::http::field;
using beast::http::status;
using beast::http::verb;

constexpr char kApiPolicy[] = "default-src 'none'; frame-ancestors 'none'; sandbox";
constexpr char kHtmlPolicy[] =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'";

boost::string_view ToBoost(std::string_view text) { return {text.data(), text.size()}; }
std::string_view FromBoost(boost::string_view text) { return {text.data(), text.size()}; }
absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

// What keeps browsers from taking an answer for something else than it is.
void SetSafety(beast::http::fields* header, std::string_view policy) {
  header->set("X-Content-Type-Options", "nosniff");
  header->set("Content-Security-Policy", ToBoost(policy));
  header->set("Referrer-Policy", "same-origin");
  header->set("Cross-Origin-Resource-Policy", "same-origin");
}

std::string_view PolicyFor(const std::string& content_type) {
  return content_type.starts_with("text/html") ? kHtmlPolicy : kApiPolicy;
}

void SetSharing(const Message& request, const HttpOptions& options, beast::http::fields* header) {
  if (options.allowed_origins.empty()) return;
  header->set(field::vary, "Origin");
  const std::string_view origin = Field(request, "Origin");
  if (!IsAllowedOrigin(origin, options)) return;
  header->set("Access-Control-Allow-Origin", ToBoost(origin));
  header->set("Access-Control-Expose-Headers", "Jobtail-Run, Jobtail-Heartbeat");
  header->set("Cross-Origin-Resource-Policy", "cross-origin");
}

// An answer to HEAD is one to GET, without the body.
void Complete(const Message& request, Response* response) {
  response->keep_alive(request.keep_alive());
  response->prepare_payload();
  if (request.method() == verb::head) response->body().clear();
}

// Small, and not the same at each address that it is served at.
bool IsPage(const StaticFile& file) { return file.path == "/index.html"; }

std::string Unzip(std::string_view gzip) {
  constexpr int kGzip = 16;
  z_stream stream{};
  if (inflateInit2(&stream, kGzip + MAX_WBITS) != Z_OK) return "";
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(gzip.data()));
  stream.avail_in = static_cast<uInt>(gzip.size());
  std::string content;
  std::array<char, 16 << 10> part;
  for (int result = Z_OK; result == Z_OK;) {
    stream.next_out = reinterpret_cast<Bytef*>(part.data());
    stream.avail_out = part.size();
    result = inflate(&stream, Z_NO_FLUSH);
    content.append(part.data(), part.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  return content;
}

}  // namespace

std::string_view PathOf(const Message& request) {
  const std::string_view target = FromBoost(request.target());
  return target.substr(0, target.find('?'));
}

std::string_view QueryOf(const Message& request) {
  const std::string_view target = FromBoost(request.target());
  const size_t mark = target.find('?');
  return mark == std::string_view::npos ? "" : target.substr(mark + 1);
}

std::string_view Field(const Message& request, std::string_view name) {
  const auto found = request.find(ToBoost(name));
  return found == request.end() ? std::string_view() : FromBoost(found->value());
}

std::vector<std::string> ValuesOf(const Message& request, std::string_view name) {
  const auto [begin, end] = request.equal_range(ToBoost(name));
  std::vector<std::string> values;
  for (auto each = begin; each != end; ++each) values.emplace_back(FromBoost(each->value()));
  return values;
}

std::string ListField(const Message& request, std::string_view name) {
  const auto [begin, end] = request.equal_range(ToBoost(name));
  std::string list;
  for (auto each = begin; each != end; ++each) {
    if (each->value().empty()) continue;
    absl::StrAppend(&list, list.empty() ? "" : ", ", ToAbsl(FromBoost(each->value())));
  }
  return list;
}

Request ToRequest(const Message& request) {
  Request asked;
  asked.method = std::string(FromBoost(request.method_string()));
  asked.path = std::string(PathOf(request));
  asked.query = std::string(QueryOf(request));
  asked.accept = ListField(request, "Accept");
  asked.last_event_id = std::string(Field(request, "Last-Event-ID"));
  asked.body = request.body();
  asked.authorization = std::string(Field(request, "Authorization"));
  asked.traceparent = std::string(Field(request, "traceparent"));
  return asked;
}

Response MakeResponse(const Message& request, Reply reply, const HttpOptions& options) {
  Response response(beast::http::int_to_status(reply.status), request.version());
  response.set(field::content_type, reply.content_type);
  response.set(field::cache_control, "no-store");
  if (!reply.allow.empty()) response.set(field::allow, reply.allow);
  for (const std::string& cookie : reply.set_cookies) response.insert(field::set_cookie, cookie);
  if (!reply.location.empty()) response.set(field::location, reply.location);
  if (reply.status == 401) response.set(field::www_authenticate, "Bearer realm=\"jobtail\"");
  if (reply.retry_after > absl::ZeroDuration()) {
    const absl::Duration seconds = absl::Ceil(reply.retry_after, absl::Seconds(1));
    response.set(field::retry_after, absl::StrCat(absl::ToInt64Seconds(seconds)));
  }
  SetSafety(&response, PolicyFor(reply.content_type));
  SetSharing(request, options, &response);
  response.body() = std::move(reply.body);
  Complete(request, &response);
  return response;
}

StreamHeader MakeStreamHeader(const Message& request, const Reply& reply,
                              const HttpOptions& options) {
  StreamHeader header(status::ok, request.version());
  header.set(field::content_type, reply.content_type);
  header.set(field::cache_control, "no-store");
  header.set("X-Accel-Buffering", "no");  // proxies are to hand on what they get at once
  if (!reply.run.empty()) header.set("Jobtail-Run", reply.run);
  if (reply.form->HasHeartbeat()) {
    header.set("Jobtail-Heartbeat", absl::StrCat(absl::ToDoubleSeconds(options.heartbeat)));
  }
  SetSafety(&header, PolicyFor(reply.content_type));
  SetSharing(request, options, &header);
  const bool chunked = request.version() >= 11;
  header.keep_alive(chunked && request.keep_alive());
  header.chunked(chunked);
  return header;
}

Response MakeFileResponse(const Message& request, const StaticFile& file) {
  const bool is_known = absl::StrContains(ListField(request, "If-None-Match"), ToAbsl(file.etag));
  Response response(is_known ? status::not_modified : status::ok, request.version());
  response.set(field::etag, ToBoost(file.etag));
  response.set(field::vary, "Accept-Encoding");
  response.set(field::cache_control, file.path.starts_with("/assets/")
                                         ? "public, max-age=31536000, immutable"
                                         : "no-cache");
  SetSafety(&response, kPagePolicy);
  if (is_known) {
    response.keep_alive(request.keep_alive());
    return response;
  }
  response.set(field::content_type, ToBoost(file.content_type));
  if (IsPage(file)) {
    const std::string root = RootOf(PathOf(request));
    response.body() = absl::StrReplaceAll(Unzip(file.gzip), {{ToAbsl(kRootMark), root}});
  } else if (absl::StrContains(ListField(request, "Accept-Encoding"), "gzip")) {
    response.set(field::content_encoding, "gzip");
    response.body() = file.gzip;
  } else {
    response.body() = Unzip(file.gzip);
  }
  Complete(request, &response);
  return response;
}

Response MakePreflight(const Message& request, const HttpOptions& options,
                       const std::string& allowed) {
  Response response(status::no_content, request.version());
  if (!allowed.empty()) response.set(field::allow, allowed);
  SetSharing(request, options, &response);
  if (IsAllowedOrigin(Field(request, "Origin"), options)) {
    response.set("Access-Control-Allow-Methods", "GET, POST, DELETE");
    response.set("Access-Control-Allow-Headers",
                 "Authorization, Content-Type, Last-Event-ID, Traceparent, Tracestate");
    response.set("Access-Control-Max-Age", "600");
  }
  response.keep_alive(request.keep_alive());
  return response;
}

}  // namespace jobtail::http
