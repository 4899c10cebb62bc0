// Files that are served as they are.
#ifndef JOBTAIL_SERVER_HTTP_STATIC_FILES_H_
#define JOBTAIL_SERVER_HTTP_STATIC_FILES_H_

#include <span>
#include <string>
#include <string_view>

namespace jobtail::http {

// A file of the console page, embedded in the program. All of it has static lifetime.
struct StaticFile {
  std::string_view path;          // "/index.html", "/assets/main-3F2A.js"
  std::string_view content_type;  // "text/html; charset=utf-8"
  std::string_view etag;          // with its quotes: "\"3f2a...\""
  std::string_view gzip;          // the content, compressed by gzip
};

// What is served at "/" and wherever the page's own addresses lead ("/jobs/...", "/runs/...") is
// the file "/index.html"; whatever else there is, at its path. Files below /assets/ never change
// (their names have a hash in them) and may be cached for ever.
using StaticFiles = std::span<const StaticFile>;

// Whether the page's own addresses lead there.
bool IsPage(std::string_view path);

// The file for a path without its query; null if there is none.
const StaticFile* FindFile(StaticFiles files, std::string_view path);

// The way from a path to where the server's paths begin, as relative addresses have it: "./" from
// "/runs", "../" from "/runs/1". So it holds also behind a proxy that puts a path of its own before
// them.
std::string RootOf(std::string_view path);

// What stands for that way in "/index.html".
inline constexpr std::string_view kRootMark = "{{root}}";

// What Content-Security-Policy says of the page: everything comes from this server, nothing from
// within the page, and nobody frames it.
inline constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src "
    "'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_STATIC_FILES_H_
