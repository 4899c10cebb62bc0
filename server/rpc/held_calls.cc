// Reads channelz, which answers in JSON.
#include "server/rpc/held_calls.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <grpc/grpc.h>
#include <grpc/support/alloc.h>

#include <algorithm>
#include <memory>
#include <string>

#include "absl/strings/numbers.h"

namespace jobtail {
namespace {

constexpr size_t kManySockets = 20'000;  // most of which are closed by then

// After connections were looked for: so long, and so many times as long as that has taken.
constexpr std::chrono::milliseconds kFindAgain(20);
constexpr int kRest = 4;

using google::protobuf::Struct;
using google::protobuf::Value;

// Takes what channelz has made, which may be null.
Struct Parse(char* json) {
  const std::unique_ptr<char, decltype(&gpr_free)> owned(json, &gpr_free);
  Struct parsed;
  if (json && !google::protobuf::util::JsonStringToMessage(json, &parsed).ok()) parsed.Clear();
  return parsed;
}

const Value& Field(const Struct& parent, const std::string& name) {
  const auto found = parent.fields().find(name);
  return found == parent.fields().end() ? Value::default_instance() : found->second;
}

// Numbers of 64 bits are strings in JSON.
int64_t Number(const Value& value) {
  int64_t number = 0;
  return absl::SimpleAtoi(value.string_value(), &number) ? number : 0;
}

}  // namespace

std::optional<int64_t> HeldCalls::Of(const Client& client) {
  if (!sockets_.contains(client) && MayFind()) Find();
  const auto found = sockets_.find(client);
  if (found == sockets_.end()) return std::nullopt;
  const Struct socket = Parse(grpc_channelz_get_socket(found->second));
  if (socket.fields().empty()) {  // it is closed; another of that name may come
    sockets_.erase(found);
    return std::nullopt;
  }
  const Struct& data = Field(Field(socket, "socket").struct_value(), "data").struct_value();
  return Number(Field(data, "streamsStarted")) - Number(Field(data, "streamsSucceeded")) -
         Number(Field(data, "streamsFailed"));
}

// One server's sockets after the other's, a page at a time. Numbers grow.
void HeldCalls::Find() {
  const auto begin = SteadyClock::now();
  if (sockets_.size() > kManySockets) sockets_.clear();
  const Struct servers = Parse(grpc_channelz_get_servers(0));
  for (const Value& server : Field(servers, "server").list_value().values()) {
    const int64_t id =
        Number(Field(Field(server.struct_value(), "ref").struct_value(), "serverId"));
    intptr_t from = 0;
    for (bool is_last = false; !is_last;) {
      const Struct page = Parse(grpc_channelz_get_server_sockets(id, from, 0));
      is_last = Field(page, "end").bool_value() || page.fields().empty();
      const auto& sockets = Field(page, "socketRef").list_value().values();
      if (sockets.empty()) break;
      for (const Value& socket : sockets) {
        const int64_t number = Number(Field(socket.struct_value(), "socketId"));
        const std::string& name = Field(socket.struct_value(), "name").string_value();
        if (const auto client = ClientOf(name.substr(name.rfind(' ') + 1))) {
          sockets_[*client] = number;
        }
        from = std::max<intptr_t>(from, number + 1);
      }
    }
  }
  const auto end = SteadyClock::now();
  find_again_ = end + kFindAgain + kRest * (end - begin);
}

}  // namespace jobtail
