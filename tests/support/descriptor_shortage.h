// A process without free descriptors.
#ifndef JOBTAIL_TESTS_SUPPORT_DESCRIPTOR_SHORTAGE_H_
#define JOBTAIL_TESTS_SUPPORT_DESCRIPTOR_SHORTAGE_H_

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <vector>

namespace jobtail::testing {

// While it exists, this process, the test with whatever it has embedded, can open nothing more.
class DescriptorShortage {
 public:
  DescriptorShortage() {
    getrlimit(RLIMIT_NOFILE, &before_);
    Take();
    const rlimit low{static_cast<rlim_t>(taken_.front()) + 1, before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &low);
    while (Take()) {
    }
  }
  ~DescriptorShortage() {
    setrlimit(RLIMIT_NOFILE, &before_);
    for (const int fd : taken_) close(fd);
  }

  DescriptorShortage(const DescriptorShortage&) = delete;
  DescriptorShortage& operator=(const DescriptorShortage&) = delete;

 private:
  bool Take() {
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) taken_.push_back(fd);
    return fd >= 0;
  }

  rlimit before_{};
  std::vector<int> taken_;
};

}  // namespace jobtail::testing

#endif  // JOBTAIL_TESTS_SUPPORT_DESCRIPTOR_SHORTAGE_H_
