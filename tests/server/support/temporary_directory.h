// A directory that lives as long as a test's object.
#ifndef JOBTAIL_TESTS_SERVER_SUPPORT_TEMPORARY_DIRECTORY_H_
#define JOBTAIL_TESTS_SERVER_SUPPORT_TEMPORARY_DIRECTORY_H_

#include <string>

namespace jobtail::testing {

// A directory that is there as long as this object.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();

  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace jobtail::testing

#endif  // JOBTAIL_TESTS_SERVER_SUPPORT_TEMPORARY_DIRECTORY_H_
