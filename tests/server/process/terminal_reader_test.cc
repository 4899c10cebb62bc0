// Who waits for somebody to type: told apart from who waits for anything else.

#include "server/process/terminal_reader.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <initializer_list>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/process/descriptor.h"
#include "tests/support/observe.h"

namespace jobtail::testing {
namespace {

using process::Descriptor;

// What a program may wait for beside the terminal: the reading end of a pipe that nobody writes to.
struct Waited {
  int terminal;
  int other;
};

// A way to wait, of a program that does nothing else.
struct Wait {
  const char* name;
  int call;  // the system's number of it
  bool for_the_terminal;
  void (*wait)(const Waited&);
};

timespec an_hour{3600, 0};

fd_set SetOf(std::initializer_list<int> descriptors) {
  fd_set set;
  FD_ZERO(&set);
  for (const int fd : descriptors) FD_SET(fd, &set);
  return set;
}

// The system's own select, without what a C library makes of it.
long Select(int call, const Waited& waited, fd_set* read, fd_set* write, fd_set* urgent,
            timespec* timeout) {
  const int end = (waited.other > waited.terminal ? waited.other : waited.terminal) + 1;
  return syscall(call, end, read, write, urgent, timeout, nullptr);
}

void EpollFor(std::initializer_list<int> descriptors, uint32_t events, int timeout) {
  const int epoll = epoll_create1(0);
  for (const int fd : descriptors) {
    epoll_event event{.events = events, .data = {.fd = fd}};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  }
  epoll_event event;
  syscall(SYS_epoll_pwait, epoll, &event, 1, timeout, nullptr, 0);
}

constexpr Wait kWaits[] = {
    {"Read", SYS_read, true,
     [](const Waited& waited) {
       char c;
       static_cast<void>(!read(waited.terminal, &c, 1));
     }},
    {"Readv", SYS_readv, true,
     [](const Waited& waited) {
       char c;
       const iovec part{&c, 1};
       static_cast<void>(!readv(waited.terminal, &part, 1));
     }},
    {"Ppoll", SYS_ppoll, true,
     [](const Waited& waited) {
       pollfd polled[] = {{-1, POLLOUT, 0}, {waited.terminal, POLLIN | POLLPRI, 0}};
       syscall(SYS_ppoll, polled, 2, nullptr, nullptr, 0);
     }},
    {"Pselect", SYS_pselect6, true,
     [](const Waited& waited) {
       fd_set read = SetOf({waited.terminal});
       fd_set urgent = read;
       Select(SYS_pselect6, waited, &read, nullptr, &urgent, nullptr);
     }},
    {"Epoll", SYS_epoll_pwait, true,
     [](const Waited& waited) { EpollFor({waited.terminal}, EPOLLIN, -1); }},
    {"Epoll2", SYS_epoll_pwait2, true,
     [](const Waited& waited) {
       const int epoll = epoll_create1(0);
       epoll_event event{.events = EPOLLIN | EPOLLRDHUP, .data = {}};
       epoll_ctl(epoll, EPOLL_CTL_ADD, waited.terminal, &event);
       syscall(SYS_epoll_pwait2, epoll, &event, 1, nullptr, nullptr, 0);
     }},
#ifdef SYS_poll
    {"Poll", SYS_poll, true,
     [](const Waited& waited) {
       pollfd polled{waited.terminal, POLLIN, 0};
       syscall(SYS_poll, &polled, 1, -1);
     }},
    {"Select", SYS_select, true,
     [](const Waited& waited) {
       fd_set read = SetOf({waited.terminal});
       Select(SYS_select, waited, &read, nullptr, nullptr, nullptr);
     }},
    {"EpollWait", SYS_epoll_wait, true,
     [](const Waited& waited) {
       const int epoll = epoll_create1(0);
       epoll_event event{.events = EPOLLIN | EPOLLET, .data = {}};
       epoll_ctl(epoll, EPOLL_CTL_ADD, waited.terminal, &event);
       syscall(SYS_epoll_wait, epoll, &event, 1, -1);
     }},
#endif
    {"ReadOfAPipe", SYS_read, false,
     [](const Waited& waited) {
       char c;
       static_cast<void>(!read(waited.other, &c, 1));
     }},
    {"PpollOfAPipeToo", SYS_ppoll, false,
     [](const Waited& waited) {
       pollfd polled[] = {{waited.terminal, POLLIN, 0}, {waited.other, POLLIN, 0}};
       syscall(SYS_ppoll, polled, 2, nullptr, nullptr, 0);
     }},
    {"PpollForTheEndOfAPipe", SYS_ppoll, false,
     [](const Waited& waited) {
       pollfd polled[] = {{waited.terminal, POLLIN, 0}, {waited.other, 0, 0}};
       syscall(SYS_ppoll, polled, 2, nullptr, nullptr, 0);
     }},
    {"PpollForAnHour", SYS_ppoll, false,
     [](const Waited& waited) {
       pollfd polled{waited.terminal, POLLIN, 0};
       syscall(SYS_ppoll, &polled, 1, &an_hour, nullptr, 0);
     }},
    {"PpollForNothing", SYS_ppoll, false,
     [](const Waited&) { syscall(SYS_ppoll, nullptr, 0, nullptr, nullptr, 0); }},
    {"PselectOfAPipeToo", SYS_pselect6, false,
     [](const Waited& waited) {
       fd_set read = SetOf({waited.terminal, waited.other});
       Select(SYS_pselect6, waited, &read, nullptr, nullptr, nullptr);
     }},
    {"PselectForSomethingUrgent", SYS_pselect6, false,
     [](const Waited& waited) {
       fd_set read = SetOf({waited.terminal});
       fd_set urgent = SetOf({waited.other});
       Select(SYS_pselect6, waited, &read, nullptr, &urgent, nullptr);
     }},
    {"PselectForAnHour", SYS_pselect6, false,
     [](const Waited& waited) {
       fd_set read = SetOf({waited.terminal});
       Select(SYS_pselect6, waited, &read, nullptr, nullptr, &an_hour);
     }},
    {"EpollOfAPipeToo", SYS_epoll_pwait, false,
     [](const Waited& waited) {
       EpollFor({waited.terminal, waited.other}, EPOLLIN, -1);
     }},
    {"EpollForSomethingUrgent", SYS_epoll_pwait, false,
     [](const Waited& waited) { EpollFor({waited.terminal}, EPOLLPRI, -1); }},
    {"EpollForAnHour", SYS_epoll_pwait, false,
     [](const Waited& waited) { EpollFor({waited.terminal}, EPOLLIN, 3'600'000); }},
    {"EpollOfNothing", SYS_epoll_pwait, false, [](const Waited&) { EpollFor({}, EPOLLIN, -1); }},
};

class TerminalReaderTest : public ::testing::TestWithParam<Wait> {
 protected:
  // A process that waits so.
  void Start(const Wait& wait) {
    const Waited waited{terminal_.get(), ends_[0].get()};
    child_ = fork();
    ASSERT_GE(child_, 0);
    if (child_ > 0) return;
    wait.wait(waited);
    _exit(0);
  }

  void AwaitCall(int number) const {
    const std::string path = absl::StrCat("/proc/", child_, "/syscall");
    ASSERT_TRUE(
        Eventually([&] { return absl::StartsWith(ReadFile(path), absl::StrCat(number, " ")); }));
  }

  void SetUp() override {
    master_ = Descriptor(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_EQ(grantpt(master_.get()), 0);
    ASSERT_EQ(unlockpt(master_.get()), 0);
    char name[64];
    ASSERT_EQ(ptsname_r(master_.get(), name, sizeof name), 0);
    terminal_ = Descriptor(open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_TRUE(terminal_.ok());
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    ends_[0] = Descriptor(ends[0]);
    ends_[1] = Descriptor(ends[1]);
  }

  void TearDown() override {
    if (child_ <= 0) return;
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }

  Descriptor master_;
  Descriptor terminal_;
  Descriptor ends_[2];
  pid_t child_ = -1;
};

INSTANTIATE_TEST_SUITE_P(, TerminalReaderTest, ::testing::ValuesIn(kWaits),
                         [](const auto& wait) { return std::string(wait.param.name); });

TEST_P(TerminalReaderTest, IsFoundIfItWaitsForNothingElse) {
  Start(GetParam());
  AwaitCall(GetParam().call);
  const auto reader =
      process::FindTerminalReader(getpid(), process::TerminalOfMaster(master_.get()));
  EXPECT_EQ(reader.has_value(), GetParam().for_the_terminal);
  if (reader) {
    EXPECT_EQ(reader->pid, child_);
  }
}

}  // namespace
}  // namespace jobtail::testing
