// HTTP/2 for clients that do what no library would let them do.
#ifndef JOBTAIL_TESTS_E2E_HTTP2_SENDER_H_
#define JOBTAIL_TESTS_E2E_HTTP2_SENDER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "tests/support/raw_client.h"

namespace jobtail::e2e {

// RFC 9113.
enum class FrameType : char {
  kData = 0,
  kHeaders = 1,
  kReset = 3,
  kSettings = 4,
  kWindowUpdate = 8
};
inline constexpr char kEndOfStream = 1;
inline constexpr char kAcknowledged = 1;
inline constexpr char kEndOfHeaders = 4;
inline constexpr char kPreface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

std::string BigEndian(uint64_t value, int bytes);
std::string MakeFrame(FrameType type, char flags, uint32_t stream, std::string_view payload);
// The headers of a call of the JobService.
std::string CallHeaders(std::string_view method);

// A connection with calls whose requests do not come to an end. Not thread-safe.
class Http2Sender {
 public:
  // What it may send is the server's to say: all is sent as soon as there is room.
  explicit Http2Sender(const std::string& address);

  // Begins a call with a message of so many bytes, of which one never comes.
  void BeginCall(std::string_view method, uint32_t message_bytes);

  // Sends what may be sent. False once the server has closed.
  bool SendMore();

  // Of messages.
  size_t sent() const { return sent_; }

 private:
  struct Call {
    int64_t window;
    size_t left;  // bytes of it to be sent
  };

  void Read();
  void Handle(FrameType type, char flags, uint32_t stream, std::string_view payload);
  void SetInitialWindow(std::string_view settings);
  bool SendOf(uint32_t stream, Call* call);

  jobtail::testing::RawClient client_;
  std::string received_;  // and not handled
  bool closed_ = false;
  int64_t window_ = 65'535;          // of the connection
  int64_t initial_window_ = 65'535;  // of a stream
  uint32_t next_stream_ = 1;
  std::map<uint32_t, Call> calls_;
  size_t sent_ = 0;
};

}  // namespace jobtail::e2e

#endif  // JOBTAIL_TESTS_E2E_HTTP2_SENDER_H_
