// A process without free descriptors.
#ifndef JOBTAIL_TESTS_SUPPORT_DESCRIPTOR_SHORTAGE_H_
#define JOBTAIL_TESTS_SUPPORT_DESCRIPTOR_SHORTAGE_H_

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <vector>

namespace jobtail::testing {

// UBSan opens a pipe to find out whether it can read an object, and takes one of which it could not
// for no object: under it, whoever logs during a shortage is reported.
#ifdef __SANITIZE_ADDRESS__
inline constexpr bool kShortagesAreMisread = true;
#else
inline constexpr bool kShortagesAreMisread = false;
#endif

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
