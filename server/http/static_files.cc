// Looking up a file.
#include "server/http/static_files.h"

#include <algorithm>

namespace jobtail::http {

bool IsPage(std::string_view path) {
  return path == "/" || path == "/jobs" || path.starts_with("/jobs/") || path == "/runs" ||
         path.starts_with("/runs/");
}

const StaticFile* FindFile(StaticFiles files, std::string_view path) {
  if (IsPage(path)) path = "/index.html";
  for (const StaticFile& file : files) {
    if (file.path == path) return &file;
  }
  return nullptr;
}

std::string RootOf(std::string_view path) {
  const auto slashes = std::ranges::count(path, '/');
  if (slashes <= 1) return "./";
  std::string root;
  for (auto i = slashes; i > 1; --i) root += "../";
  return root;
}

}  // namespace jobtail::http
