// The header Last-Event-ID: a record's number, and the stream goes on after it, or it is refused.

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "jobtail/v1/run.pb.h"
#include "tests/fuzz/api_world.h"

namespace jobtail::http {
namespace {

using fuzz::Check;

constexpr int kLines = 5;

bool IsNumber(const std::string& header) {
  return !header.empty() && std::all_of(header.begin(), header.end(), absl::ascii_isdigit);
}

// What text/plain shows of the records after `last`.
std::string LinesAfter(int64_t last) {
  std::string text;
  for (int64_t line = last + 1; line <= kLines; ++line) text += std::to_string(line) + "\n";
  return text;
}

std::string ReadAll(const Reply& reply) {
  std::string all = reply.form->Head();
  while (true) {
    std::vector<Slice> slices;
    const auto next = reply.feed->Read(1 << 20, &slices);
    Check(next.ok(), "an ended log can be read", next.status().ToString());
    reply.form->Render(&slices);
    for (const Slice& slice : slices) all += slice.view();
    if (*next != Feed::Next::kMore) return all;
  }
}

// One server and one ended run for all inputs.
struct Scene {
  fuzz::World world;
  std::string path;

  Scene() {
    const Reply reply =
        world.api().Handle({.method = "POST", .path = "/v1/runs", .body = R"({"job": "greet"})"});
    v1::Run run;
    Check(google::protobuf::util::JsonStringToMessage(reply.body, &run).ok(), "a run begins");
    path = "/v1/runs/" + run.id() + "/log";
    world.EndRuns(kLines);
  }
};

void Run(const std::string& header) {
  static Scene& scene = *new Scene;
  const Reply reply = scene.world.api().Handle(
      {.method = "GET", .path = scene.path, .accept = "text/plain", .last_event_id = header});
  fuzz::CheckReply(reply);
  if (header.empty()) return Check(reply.status == 200, "without it, all is sent");
  // Not for what the log does not have: that is found out later.
  const bool is_refused = reply.status == 400 && absl::StrContains(reply.body, "Last-Event-ID");
  int64_t number;
  if (IsNumber(header)) {
    const bool fits = absl::SimpleAtoi(header, &number) && number < INT64_MAX;
    Check(is_refused != fits, "a number that a record can have is taken", reply.body);
  } else if (!absl::SimpleAtoi(header, &number)) {
    Check(is_refused, "what is no number is refused", reply.body);
  }
  if (!reply.feed) return;
  Check(absl::SimpleAtoi(header, &number), "only a number is taken");
  Check(ReadAll(reply) == LinesAfter(number), "the stream goes on after that record");
}

}  // namespace
}  // namespace jobtail::http

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  jobtail::http::Run(std::string(jobtail::fuzz::AsText(data, size)));
  return 0;
}
