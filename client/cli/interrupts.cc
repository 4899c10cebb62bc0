// Ctrl-C and SIGTERM, taken by a thread of their own.

#include "client/cli/interrupts.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace jobtail::client::cli {
namespace {

constexpr int kWakeUp = SIGUSR1;        // interrupts the printing thread's system calls
constexpr int kPokeNanos = 10'000'000;  // how often: one that comes just before the call is lost
constexpr int kMaxPokes = 200;          // two seconds

bool IsIgnored(int signal) {
  struct sigaction action;
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

void InstallWakeUp() {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  sigemptyset(&action.sa_mask);
  sigaction(kWakeUp, &action, nullptr);  // without SA_RESTART
}

}  // namespace

Interrupts::Interrupts() : printing_thread_(pthread_self()) {
  InstallWakeUp();
  sigemptyset(&signals_);
  if (!IsIgnored(SIGINT)) sigaddset(&signals_, SIGINT);
  if (!IsIgnored(SIGTERM)) sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGUSR2);  // ends the thread
  pthread_sigmask(SIG_BLOCK, &signals_, &former_mask_);
  thread_ = std::thread([this] { Run(); });
}

Interrupts::~Interrupts() {
  done_ = true;
  pthread_kill(thread_.native_handle(), SIGUSR2);
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &former_mask_, nullptr);
}

void Interrupts::SetHandler(Handler handler) {
  absl::MutexLock lock(&mutex_);
  handler_ = std::move(handler);
}

void Interrupts::Stop(int signal) {
  signal_ = signal;
  stop_ = true;
}

void Interrupts::Run() {
  const int first = Wait();
  if (done_) return;
  Handle(first);
  const int second = Wait();
  if (!done_) Leave(second);
}

void Interrupts::Handle(int signal) {
  absl::MutexLock lock(&mutex_);
  if (!handler_) Leave(signal);
  handler_(signal);
}

// Waits for a signal, or for the end of this object.
int Interrupts::Wait() {
  const timespec interval = {.tv_sec = 0, .tv_nsec = kPokeNanos};
  for (int pokes = 0; !done_; pokes += stop_ ? 1 : 0) {
    if (pokes > kMaxPokes) Leave(signal_);
    if (stop_) pthread_kill(printing_thread_, kWakeUp);
    const int signal =
        stop_ ? sigtimedwait(&signals_, nullptr, &interval) : sigwaitinfo(&signals_, nullptr);
    if (signal == SIGINT || signal == SIGTERM) return signal;
  }
  return 0;
}

void Interrupts::Leave(int signal) { _exit(128 + signal); }

}  // namespace jobtail::client::cli
