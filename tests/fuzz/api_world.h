// A server without sockets, for fuzz targets that call the API.
#ifndef JOBTAIL_TESTS_FUZZ_API_WORLD_H_
#define JOBTAIL_TESTS_FUZZ_API_WORLD_H_

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "server/http/api.h"
#include "server/run/engine.h"
#include "server/run/executor.h"
#include "server/store/memory_store.h"
#include "tests/fuzz/fuzz.h"

namespace jobtail::fuzz {

// A server without sockets. Its job "greet", with the parameters "name" and "times", does nothing
// until it is told to, so that all happens on the fuzzer's thread.
class World {
 public:
  World() {
    Job job("greet", executor_);
    job.With(Parameter::String("name").Default("world")).With(Parameter::Int("times").Default(1));
    Check(engine_.AddJob(std::move(job)).ok(), "the job is added");
  }
  ~World() {
    EndRuns(0);
    engine_.Stop(absl::InfiniteDuration());
  }

  http::Api& api() { return api_; }

  // Has the runs that have begun print so many lines, "1", "2", ..., and end. Returns how many runs
  // that were.
  size_t EndRuns(int lines) {
    const std::vector<std::shared_ptr<Execution>> runs = std::exchange(executor_->runs, {});
    for (const auto& run : runs) {
      run->Started();
      for (int i = 1; i <= lines; ++i) {
        const std::string text = std::to_string(i);
        const capture::Line line{capture::Stream::kStdout, capture::Ending::kLf, i, text};
        run->output().Write({&line, 1});
      }
      run->Ended({});
      ended_.push_back(run->id());
    }
    return runs.size();
  }

  void DeleteRuns() {
    for (const std::string& run : std::exchange(ended_, {})) {
      v1::DeleteRunRequest request;
      request.set_run(run);
      const absl::Status deleted = engine_.DeleteRun(request);
      Check(deleted.ok(), "an ended run can be deleted", deleted.ToString());
    }
  }

 private:
  struct LateExecutor : Executor {
    absl::Status Start(std::shared_ptr<Execution> run) const override {
      runs.push_back(std::move(run));
      return absl::OkStatus();
    }
    mutable std::vector<std::shared_ptr<Execution>> runs;
  };

  const std::shared_ptr<LateExecutor> executor_ = std::make_shared<LateExecutor>();
  MemoryStore store_;
  Engine engine_{&store_};
  http::Api api_{&engine_};
  std::vector<std::string> ended_;
};

// Every answer that is no stream is JSON, and no request is the server's fault.
inline void CheckReply(const http::Reply& reply) {
  Check(reply.status < 500, "no request is the server's fault", reply.body);
  if (reply.feed) return;
  google::protobuf::Struct json;
  Check(google::protobuf::util::JsonStringToMessage(reply.body, &json).ok(), "an answer is JSON",
        reply.body);
}

}  // namespace jobtail::fuzz

#endif  // JOBTAIL_TESTS_FUZZ_API_WORLD_H_
