// A blocking writer to a file descriptor of any kind.
#ifndef JOBTAIL_CLIENT_CLI_FD_WRITER_H_
#define JOBTAIL_CLIENT_CLI_FD_WRITER_H_

#include <atomic>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace jobtail::client::cli {

// Writes whole texts to a file descriptor, blocking or not, whatever is behind it. The descriptor
// stays its owner's. For one thread.
class FdWriter {
 public:
  // `name` is for error messages; `stop`, if given, ends a write that waits, see Write(), and must
  // outlive the writer. The pointers' targets stay the caller's.
  FdWriter(int fd, const char* name, const std::atomic<bool>* stop = nullptr);

  // Writes the whole of `bytes`; blocks for as long as that takes. `*written` is what has been
  // written when it returns, whatever the outcome.
  //
  // CANCELLED once `*stop` is set: a write that is waiting in the kernel finds out when a signal
  // interrupts it. Any other error is final; ABORTED is a reader that has gone away (EPIPE).
  absl::Status Write(absl::string_view bytes, size_t* written);

  // From now on `stop` ends no write: for what has to be said after it.
  void IgnoreStop() { stop_ = nullptr; }

  bool is_terminal() const { return is_terminal_; }
  // Whether both write to one terminal.
  bool SharesTerminal(const FdWriter& other) const;
  // Whether both write to one terminal, file or pipe.
  bool SharesPlace(const FdWriter& other) const;
  // Whether something could be written without waiting.
  bool IsReady() const;

 private:
  absl::Status WaitOrFail(int error) const;

  const int fd_;
  const char* const name_;
  const bool is_terminal_;
  const std::atomic<bool>* stop_;
};

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_FD_WRITER_H_
