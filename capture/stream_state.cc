// What the standard streams were like before the first open scope.

#include "capture/stream_state.h"

#include <ios>
#include <iostream>
#include <locale>
#include <mutex>
#include <tuple>

namespace jobtail::capture::internal {
namespace {

// clear() and exceptions() throw if the state is one that the stream is to throw for; the state is
// set all the same.
template <typename Function>
void Quietly(Function function) {
  try {
    function();
  } catch (const std::ios_base::failure&) {
  }
}

template <typename Char>
class StateOf {
 public:
  explicit StateOf(std::basic_ostream<Char>& out) : out_(out) {}

  void Save() {
    error_ = out_.rdstate();
    exceptions_ = out_.exceptions();
    flags_ = out_.flags();
    precision_ = out_.precision();
    width_ = out_.width();
    fill_ = out_.fill();
    tie_ = out_.tie();
    locale_ = out_.getloc();
  }

  void ClearError() {
    if (out_.rdstate() != std::ios::goodbit) out_.clear();
  }

  // Writes only what differs: threads that no scope covers may be printing.
  void Restore() {
    if (out_.flags() != flags_) out_.flags(flags_);
    if (out_.precision() != precision_) out_.precision(precision_);
    if (out_.width() != width_) out_.width(width_);
    if (out_.fill() != fill_) out_.fill(fill_);
    if (out_.tie() != tie_) out_.tie(tie_);
    if (out_.getloc() != locale_) out_.imbue(locale_);
    if (out_.rdstate() != error_ || out_.exceptions() != exceptions_) {
      Quietly([&] { out_.exceptions(std::ios::goodbit); });
      out_.clear(error_);
      Quietly([&] { out_.exceptions(exceptions_); });
    }
  }

 private:
  std::basic_ostream<Char>& out_;
  std::ios::iostate error_{};
  std::ios::iostate exceptions_{};
  std::ios::fmtflags flags_{};
  std::streamsize precision_ = 0;
  std::streamsize width_ = 0;
  Char fill_{};
  std::basic_ostream<Char>* tie_ = nullptr;
  std::locale locale_;
};

struct States {
  std::mutex mutex;
  int users = 0;
  std::tuple<StateOf<char>, StateOf<char>, StateOf<char>, StateOf<wchar_t>, StateOf<wchar_t>,
             StateOf<wchar_t>>
      streams{StateOf(std::cout),  StateOf(std::cerr),  StateOf(std::clog),
              StateOf(std::wcout), StateOf(std::wcerr), StateOf(std::wclog)};

  // Never destroyed: streams are used until the very end of the program.
  static States& Get() {
    static auto* const states = new States;
    return *states;
  }
};

}  // namespace

void LockStreamStateForFork() { States::Get().mutex.lock(); }
void UnlockStreamStateAfterFork() { States::Get().mutex.unlock(); }

void BeginStreamState() {
  States& states = States::Get();
  std::lock_guard lock(states.mutex);
  std::apply(
      [&](auto&... state) {
        if (states.users == 0) (state.Save(), ...);
        (state.ClearError(), ...);
      },
      states.streams);
  ++states.users;
}

void EndStreamState() {
  States& states = States::Get();
  std::lock_guard lock(states.mutex);
  --states.users;
  std::apply(
      [&](auto&... state) {
        if (states.users == 0) {
          (state.Restore(), ...);
        } else {
          (state.ClearError(), ...);
        }
      },
      states.streams);
}

}  // namespace jobtail::capture::internal
