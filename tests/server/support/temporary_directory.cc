// The making and removal of a directory for a test.

#include "tests/server/support/temporary_directory.h"

#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <system_error>

namespace jobtail::testing {

TemporaryDirectory::TemporaryDirectory()
    : path_(std::filesystem::temp_directory_path() / "jobtail-test-XXXXXX") {
  if (mkdtemp(path_.data())) return;
  perror(path_.c_str());
  abort();
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace jobtail::testing
