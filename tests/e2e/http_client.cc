// The sockets and the parsing of the HTTP test client.

#include "tests/e2e/http_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace jobtail::e2e {

HttpClient::HttpClient(const std::string& url, const std::string& from)
    : socket_(::socket(url.starts_with("unix:") ? AF_UNIX : AF_INET, SOCK_STREAM, 0)) {
  const timeval limit{60, 0};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (!from.empty()) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    EXPECT_EQ(inet_pton(AF_INET, from.c_str(), &address.sin_addr), 1) << from;
    EXPECT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0)
        << strerror(errno);
  }
  Connect(url);
}

void HttpClient::Connect(const std::string& url) {
  if (url.starts_with("unix:")) {
    host_ = "localhost";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    url.copy(address.sun_path, sizeof address.sun_path - 1, 5);
    EXPECT_EQ(connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0)
        << strerror(errno);
    return;
  }
  const size_t host = url.find("://") + 3;
  EXPECT_EQ(url.substr(host, 10), "127.0.0.1:") << url;
  host_ = url.substr(host, url.find('/', host) - host);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(std::atoi(url.c_str() + host + 10)));
  EXPECT_EQ(connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0)
      << strerror(errno);
}

ssize_t HttpClient::WriteSome(const char* bytes, size_t size) {
  return send(socket_, bytes, size, MSG_NOSIGNAL);
}

ssize_t HttpClient::ReadSome(char* bytes, size_t size) { return recv(socket_, bytes, size, 0); }

HttpClient::~HttpClient() { close(socket_); }

void HttpClient::SendBytes(const std::string& bytes) {
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t size = WriteSome(bytes.data() + sent, bytes.size() - sent);
    if (size <= 0) return;  // what is read next tells
    sent += static_cast<size_t>(size);
  }
}

void HttpClient::Send(const std::string& method, const std::string& target, const Headers& headers,
                      const std::string& body) {
  std::string request = method + " " + target + " HTTP/1.1\r\n";
  bool has_host = false;
  for (const auto& [name, value] : headers) {
    request += name + ": " + value + "\r\n";
    has_host |= name == "Host";
  }
  if (!has_host) request += "Host: " + host_ + "\r\n";
  if (!body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  SendBytes(request + "\r\n" + body);
}

HttpAnswer HttpClient::Ask(const std::string& method, const std::string& target,
                           const Headers& headers, const std::string& body) {
  Send(method, target, headers, body);
  return ReadAnswer(method != "HEAD");
}

HttpAnswer HttpClient::Post(const std::string& target, const std::string& json) {
  return Ask("POST", target, {{"Content-Type", "application/json"}}, json);
}

bool HttpClient::ReadMore() {
  char bytes[64 << 10];
  const ssize_t size = ReadSome(bytes, sizeof bytes);
  if (size > 0) received_.append(bytes, static_cast<size_t>(size));
  return size > 0;
}

std::string HttpClient::Take(size_t size) {
  std::string taken = received_.substr(0, size);
  received_.erase(0, size);
  return taken;
}

std::string HttpClient::ReadUntil(const std::string& text) {
  size_t from = 0;  // where it may begin
  while (true) {
    const size_t found = received_.find(text, from);
    if (found != std::string::npos) return Take(found + text.size());
    from = received_.size() < text.size() ? 0 : received_.size() - text.size();
    if (!ReadMore()) return Take(received_.size());
  }
}

HttpAnswer HttpClient::ReadAnswer(bool has_body) {
  HttpAnswer answer;
  answer.header = ReadUntil("\r\n\r\n");
  if (answer.header.size() > 12) answer.status = std::atoi(answer.header.c_str() + 9);
  const size_t length = answer.header.find("Content-Length: ");
  if (!has_body || answer.status == 204 || answer.status == 304) {
    answer.complete = true;
  } else if (answer.header.find("Transfer-Encoding: chunked") != std::string::npos) {
    answer.body = ReadChunks(&answer.complete);
  } else if (length != std::string::npos) {
    const auto size = static_cast<size_t>(std::atoll(answer.header.c_str() + length + 16));
    while (received_.size() < size && ReadMore()) {
    }
    answer.body = Take(size);
    answer.complete = answer.body.size() == size;
  } else {
    while (ReadMore()) {
    }
    answer.body = Take(received_.size());
  }
  return answer;
}

std::string HttpClient::ReadChunks(bool* complete) {
  std::string body;
  while (true) {
    const std::string header = ReadUntil("\r\n");
    if (header.empty()) return body;
    const size_t size = std::strtoull(header.c_str(), nullptr, 16);
    while (received_.size() < size + 2 && ReadMore()) {
    }
    if (received_.size() < size + 2) return body + Take(received_.size());
    body += Take(size);
    Take(2);
    if (size == 0) {
      *complete = true;
      return body;
    }
  }
}

bool HttpClient::AwaitClose() {
  char byte;
  while (true) {
    const ssize_t size = ReadSome(&byte, 1);
    if (size == 0 || (size < 0 && errno == ECONNRESET)) return true;
    if (size < 0) return false;
  }
}

}  // namespace jobtail::e2e
