// Bodies of calls. What is taken was meant: the run has the parameters that the body names, and no
// others.

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "jobtail/v1/run.pb.h"
#include "tests/fuzz/api_world.h"

namespace jobtail::http {
namespace {

using fuzz::Check;
using google::protobuf::Struct;
using google::protobuf::util::JsonStringToMessage;

// What the body says, read without knowing what it should be.
struct Body {
  std::string job;
  std::map<std::string, std::string> parameters;
};

std::string Text(const google::protobuf::Value& value) { return value.string_value(); }

bool Read(const std::string& json, Body* body) {
  Struct all;
  if (!JsonStringToMessage(json, &all).ok()) return false;
  for (const auto& [name, value] : all.fields()) {
    if (name == "job") body->job = Text(value);
    if (name != "parameters") continue;
    for (const auto& [key, text] : value.struct_value().fields()) {
      // Numbers and booleans are taken for the text of a parameter, too, in the library's notation.
      if (text.kind_case() != google::protobuf::Value::kStringValue) return false;
      body->parameters[key] = Text(text);
    }
  }
  return true;
}

void CheckRun(const std::string& json, const Reply& reply) {
  v1::Run run;
  Check(JsonStringToMessage(reply.body, &run).ok(), "the answer is a run", reply.body);
  Check(run.job() == "greet", "of the only job");
  Body body;
  if (!Read(json, &body)) return;
  Check(body.job == "greet" || body.job.empty(), "which the body names", json);
  for (const auto& [name, text] : body.parameters) {
    Check(run.parameters().contains(name), "every parameter is there", json + reply.body);
    if (name == "name")
      Check(run.parameters().at(name) == text, "as it was given", json + reply.body);
  }
  for (const auto& [name, text] : run.parameters()) {
    Check(name == "name" || name == "times", "and no other", json + reply.body);
  }
}

// Of the server nothing is left of an input when the next one comes.
void Run(const std::string& json) {
  static fuzz::World& world = *new fuzz::World;
  const Reply created = world.api().Handle({.method = "POST", .path = "/v1/runs", .body = json});
  fuzz::CheckReply(created);
  Check(world.EndRuns(1) == (created.status == 200 ? 1 : 0),
        "a run begins if and only if the answer says so");
  if (created.status == 200) CheckRun(json, created);
  world.DeleteRuns();

  for (const char* path : {"/v1/jobs/greet:run", "/v1/runs/0123:cancel"}) {
    fuzz::CheckReply(world.api().Handle({.method = "POST", .path = path, .body = json}));
    world.EndRuns(0);
    world.DeleteRuns();
  }
  fuzz::CheckReply(world.api().Handle({.method = "GET", .path = "/v1/jobs", .body = json}));
}

}  // namespace
}  // namespace jobtail::http

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  jobtail::http::Run(std::string(jobtail::fuzz::AsText(data, size)));
  return 0;
}
