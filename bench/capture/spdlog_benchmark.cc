// What spdlog's asynchronous logger takes for a message of 80 bytes: one queue of 8192 messages,
// one worker thread, a full queue blocks the logging thread. That is its lasting throughput: the
// worker's, once the queue is full.

#include <benchmark/benchmark.h>
#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <utility>

#include "bench/capture/measure.h"
#include "bench/capture/print.h"

namespace jobtail::bench {
namespace {

constexpr std::string_view kMessage = kLine.substr(0, kLine.size() - 1);

template <typename Sink, typename... Arguments>
void Log(benchmark::State& state, Arguments... arguments) {
  static std::shared_ptr<spdlog::details::thread_pool> pool;
  static std::shared_ptr<spdlog::async_logger> logger;
  if (state.thread_index() == 0) {
    pool = std::make_shared<spdlog::details::thread_pool>(8192, 1);
    logger = std::make_shared<spdlog::async_logger>("bench", std::make_shared<Sink>(arguments...),
                                                    pool, spdlog::async_overflow_policy::block);
    logger->set_pattern("%v");
  }
  PrintLines(state, [] { logger->info(spdlog::string_view_t(kMessage.data(), kMessage.size())); });
  if (state.thread_index() == 0) {
    logger.reset();
    pool.reset();
  }
}

// Formats nothing and writes nothing.
void ToNullSink(benchmark::State& state) { Log<spdlog::sinks::null_sink_mt>(state); }
// Writes with fwrite to /dev/null. The pattern is the bare message.
void ToFileSink(benchmark::State& state) {
  Log<spdlog::sinks::basic_file_sink_mt>(state, "/dev/null");
}

BENCHMARK(ToNullSink)->Name("spdlog/null")->Apply(OnThreads);
BENCHMARK(ToFileSink)->Name("spdlog/file")->Apply(OnThreads);

}  // namespace
}  // namespace jobtail::bench
