// Frames, and what the server says of its windows.
#include "tests/e2e/http2_sender.h"

#include <algorithm>

namespace jobtail::e2e {
namespace {

constexpr size_t kFrameHeader = 9;
constexpr size_t kMostOfFrame = 16'384;

uint32_t Number(std::string_view bytes) {
  uint32_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

// A header field without compression, RFC 7541.
std::string Field(std::string_view name, std::string_view value) {
  std::string field(1, '\0');
  for (const std::string_view part : {name, value}) {
    field += static_cast<char>(part.size());
    field += part;
  }
  return field;
}

}  // namespace

std::string BigEndian(uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i));
  return text;
}

std::string MakeFrame(FrameType type, char flags, uint32_t stream, std::string_view payload) {
  return (BigEndian(payload.size(), 3) + static_cast<char>(type) + flags + BigEndian(stream, 4))
      .append(payload);
}

std::string CallHeaders(std::string_view method) {
  return Field(":method", "POST") + Field(":scheme", "http") +
         Field(":path", std::string("/jobtail.v1.JobService/").append(method)) +
         Field(":authority", "localhost") + Field("content-type", "application/grpc") +
         Field("te", "trailers");
}

Http2Sender::Http2Sender(const std::string& address) {
  closed_ = !client_.Connect(address) ||
            !client_.Send(kPreface + MakeFrame(FrameType::kSettings, 0, 0, ""));
}

void Http2Sender::BeginCall(std::string_view method, uint32_t message_bytes) {
  const uint32_t stream = next_stream_;
  next_stream_ += 2;
  const std::string prefix = std::string(1, '\0') + BigEndian(message_bytes, 4);
  Call call{initial_window_ - static_cast<int64_t>(prefix.size()), message_bytes - 1};
  window_ -= static_cast<int64_t>(prefix.size());
  calls_.emplace(stream, call);
  closed_ |=
      !client_.Send(MakeFrame(FrameType::kHeaders, kEndOfHeaders, stream, CallHeaders(method)) +
                    MakeFrame(FrameType::kData, 0, stream, prefix));
}

bool Http2Sender::SendMore() {
  closed_ |= !client_.Receive(&received_);
  Read();
  for (auto& [stream, call] : calls_) {
    while (!closed_ && SendOf(stream, &call)) {
    }
  }
  return !closed_;
}

// False if there is nothing to send, or no room.
bool Http2Sender::SendOf(uint32_t stream, Call* call) {
  const int64_t room = std::min(window_, call->window);
  if (room <= 0 || call->left == 0) return false;
  const size_t size = std::min({static_cast<size_t>(room), call->left, kMostOfFrame});
  closed_ |= !client_.Send(MakeFrame(FrameType::kData, 0, stream, std::string(size, 'x')));
  window_ -= static_cast<int64_t>(size);
  call->window -= static_cast<int64_t>(size);
  call->left -= size;
  sent_ += size;
  return true;
}

void Http2Sender::Read() {
  for (;;) {
    const std::string_view all = received_;
    if (all.size() < kFrameHeader) return;
    const size_t size = Number(all.substr(0, 3));
    if (all.size() < kFrameHeader + size) return;
    Handle(static_cast<FrameType>(all[3]), all[4], Number(all.substr(5, 4)),
           all.substr(kFrameHeader, size));
    received_.erase(0, kFrameHeader + size);
  }
}

void Http2Sender::Handle(FrameType type, char flags, uint32_t stream, std::string_view payload) {
  if (type == FrameType::kSettings && flags != kAcknowledged) {
    SetInitialWindow(payload);
    closed_ |= !client_.Send(MakeFrame(FrameType::kSettings, kAcknowledged, 0, ""));
  } else if (type == FrameType::kWindowUpdate && stream == 0) {
    window_ += Number(payload);
  } else if (type == FrameType::kWindowUpdate) {
    if (const auto call = calls_.find(stream); call != calls_.end()) {
      call->second.window += Number(payload);
    }
  } else if (type == FrameType::kReset) {
    calls_.erase(stream);
  }
}

void Http2Sender::SetInitialWindow(std::string_view settings) {
  constexpr uint32_t kInitialWindowSize = 4;
  for (; settings.size() >= 6; settings.remove_prefix(6)) {
    if (Number(settings.substr(0, 2)) != kInitialWindowSize) continue;
    const int64_t value = Number(settings.substr(2, 4));
    for (auto& [stream, call] : calls_) call.window += value - initial_window_;
    initial_window_ = value;
  }
}

}  // namespace jobtail::e2e
