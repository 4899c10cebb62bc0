// A bare HTTP client that can send wrong requests, too.
#ifndef JOBTAIL_TESTS_E2E_HTTP_CLIENT_H_
#define JOBTAIL_TESTS_E2E_HTTP_CLIENT_H_

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

namespace jobtail::e2e {

using Headers = std::vector<std::pair<std::string, std::string>>;

// An answer as it came, with its body put together.
struct HttpAnswer {
  int status = 0;  // 0: the connection ended without one
  std::string header;
  std::string body;
  bool complete = false;  // the body came to its end
};

// A connection to an HTTP server that sends what it is told to, right or wrong. Gives up after a
// minute. Not thread-safe.
class HttpClient {
 public:
  // `url` as the server prints it: "http://127.0.0.1:PORT/" or "unix:PATH".
  // `from`: an address of this machine that it comes from, such as 127.0.0.2; "": as usual.
  explicit HttpClient(const std::string& url, const std::string& from = "");
  virtual ~HttpClient();

  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Sends a request and reads the answer to its end.
  HttpAnswer Ask(const std::string& method, const std::string& target, const Headers& headers = {},
                 const std::string& body = "");
  HttpAnswer Get(const std::string& target, const Headers& headers = {}) {
    return Ask("GET", target, headers);
  }
  // A POST with a body in JSON.
  HttpAnswer Post(const std::string& target, const std::string& json);

  // Sends a request, and leaves its answer to the functions below.
  void Send(const std::string& method, const std::string& target, const Headers& headers = {},
            const std::string& body = "");
  void SendBytes(const std::string& bytes);
  // Reads until what has come since the last call has `text` in it, and returns all of that. Less
  // if the connection ended.
  std::string ReadUntil(const std::string& text);
  // Reads one answer to its end.
  HttpAnswer ReadAnswer(bool has_body = true);
  // Waits for the other end to close.
  bool AwaitClose();

 protected:
  // As send and recv, where something stands between this and the socket.
  virtual ssize_t WriteSome(const char* bytes, size_t size);
  virtual ssize_t ReadSome(char* bytes, size_t size);
  int socket() const { return socket_; }

 private:
  void Connect(const std::string& url);
  bool ReadMore();
  std::string Take(size_t size);
  std::string ReadChunks(bool* complete);

  int socket_;
  std::string host_;
  std::string received_;
};

}  // namespace jobtail::e2e

#endif  // JOBTAIL_TESTS_E2E_HTTP_CLIENT_H_
