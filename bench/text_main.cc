// A consumer of text: reads it to the end, tells how many lines came, how fast and how old.
//   bench-text [--stamped] stdin | http PORT PATH | websocket PORT PATH | events PORT JOB JSON

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/meter.h"

namespace jobtail::bench {
namespace {

constexpr size_t kReadBytes = 256 << 10;

class Source {
 public:
  explicit Source(int fd) : fd_(fd), memory_(kReadBytes) {}

  // What comes next; empty at the end.
  std::string_view Read() {
    ssize_t count;
    do {
      count = read(fd_, memory_.data(), memory_.size());
    } while (count < 0 && errno == EINTR);
    if (count < 0) throw std::runtime_error(std::string("read: ") + std::strerror(errno));
    return {memory_.data(), static_cast<size_t>(count)};
  }

 private:
  const int fd_;
  std::vector<char> memory_;
};

int ConnectTo(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) {
    throw std::runtime_error("cannot connect to port " + std::to_string(port) + ": " +
                             std::strerror(errno));
  }
  return fd;
}

// Sends a request and reads the head of its answer. Returns what has come of the body.
std::string Request(int fd, Source& source, const std::string& line, const std::string& rest) {
  const std::string request = line + " HTTP/1.1\r\nHost: localhost\r\n" + rest;
  if (write(fd, request.data(), request.size()) != static_cast<ssize_t>(request.size())) {
    throw std::runtime_error("cannot send the request");
  }
  std::string answer;
  size_t end;
  while ((end = answer.find("\r\n\r\n")) == std::string::npos) {
    const std::string_view more = source.Read();
    if (more.empty()) throw std::runtime_error("no answer, only: " + answer);
    answer += more;
  }
  const std::string status = answer.substr(0, answer.find("\r\n"));
  if (status.find(" 200") == std::string::npos && status.find(" 101") == std::string::npos) {
    throw std::runtime_error("the server says: " + status);
  }
  return answer.substr(end + 4);
}

void ReadText(Source& source, Meter* meter) {
  for (std::string_view text; !(text = source.Read()).empty();) meter->AddText(text);
}

void ReadHttp(int port, const std::string& path, Meter* meter) {
  const int fd = ConnectTo(port);
  Source source(fd);
  const std::string body = Request(fd, source, "GET " + path, "Connection: close\r\n\r\n");
  if (!body.empty()) meter->AddText(body);
  ReadText(source, meter);
}

// The size of the frame at the beginning of `data` and where its payload begins; 0 if it is not all
// there. Servers do not mask.
size_t FrameSize(std::string_view data, size_t* payload) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(data[i]); };
  if (data.size() < 2) return 0;
  size_t size = byte(1) & 0x7F;
  const size_t more = size == 126 ? 2 : size == 127 ? 8 : 0;
  *payload = 2 + more;
  if (data.size() < *payload) return 0;
  if (more > 0) size = 0;
  for (size_t i = 0; i < more; ++i) size = size << 8 | byte(2 + i);
  return data.size() < *payload + size ? 0 : *payload + size;
}

// websocketd sends each line as a message, without its newline.
void ReadWebSocket(int port, const std::string& path, Meter* meter) {
  constexpr uint8_t kClose = 8;
  const int fd = ConnectTo(port);
  Source source(fd);
  std::string data = Request(fd, source, "GET " + path,
                             "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Origin: http://localhost\r\nSec-WebSocket-Version: 13\r\n"
                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  while (true) {
    std::string_view rest = data;
    size_t payload;
    for (size_t size; (size = FrameSize(rest, &payload)) > 0; rest.remove_prefix(size)) {
      if ((static_cast<uint8_t>(rest[0]) & 0xF) == kClose) return;
      meter->AddLine(rest.substr(payload, size - payload));
    }
    data.erase(0, data.size() - rest.size());
    const std::string_view more = source.Read();
    if (more.empty()) return;
    data += more;
  }
}

// The text in an event of a line; these have neither quotes nor backslashes in them.
std::string_view TextIn(std::string_view event) {
  constexpr std::string_view kText = "\"text\":\"";
  const size_t begin = event.find(kText);
  if (!event.starts_with("data: ") || begin == std::string_view::npos) return "";
  event.remove_prefix(begin + kText.size());
  return event.substr(0, event.find('"'));
}

// Has jobtail run a job, and reads its lines as server-sent events.
void ReadEvents(int port, const std::string& job, const std::string& json, Meter* meter) {
  const int fd = ConnectTo(port);
  Source source(fd);
  std::string data = Request(fd, source, "POST /v1/jobs/" + job + ":run",
                             "Accept: text/event-stream\r\nConnection: close\r\n"
                             "Content-Type: application/json\r\nContent-Length: " +
                                 std::to_string(json.size()) + "\r\n\r\n" + json);
  while (true) {
    std::string_view rest = data;
    for (size_t end; (end = rest.find('\n')) != std::string_view::npos;) {
      const std::string_view text = TextIn(rest.substr(0, end));
      if (!text.empty()) meter->AddLine(text);
      rest.remove_prefix(end + 1);
    }
    data.erase(0, data.size() - rest.size());
    const std::string_view more = source.Read();
    if (more.empty()) return;
    data += more;
  }
}

int Main(std::vector<std::string> arguments) {
  const bool stamped = !arguments.empty() && arguments[0] == "--stamped";
  if (stamped) arguments.erase(arguments.begin());
  Meter meter(stamped);
  if (arguments.size() == 1 && arguments[0] == "stdin") {
    Source source(STDIN_FILENO);
    ReadText(source, &meter);
  } else if (arguments.size() == 3 && arguments[0] == "http") {
    ReadHttp(std::stoi(arguments[1]), arguments[2], &meter);
  } else if (arguments.size() == 3 && arguments[0] == "websocket") {
    ReadWebSocket(std::stoi(arguments[1]), arguments[2], &meter);
  } else if (arguments.size() == 4 && arguments[0] == "events") {
    ReadEvents(std::stoi(arguments[1]), arguments[2], arguments[3], &meter);
  } else {
    std::cerr << "usage: bench-text [--stamped] stdin | http PORT PATH | websocket PORT PATH |"
                 " events PORT JOB JSON\n";
    return 2;
  }
  std::cout << meter.Json() << std::endl;
  return 0;
}

}  // namespace
}  // namespace jobtail::bench

int main(int argc, char** argv) {
  try {
    return jobtail::bench::Main({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "bench-text: " << error.what() << std::endl;
    return 1;
  }
}
