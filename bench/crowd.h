// A crowd of gRPC readers that cost next to nothing.
#ifndef JOBTAIL_BENCH_CROWD_H_
#define JOBTAIL_BENCH_CROWD_H_

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace jobtail::bench {

// Many readers in one process, on gRPC's own few threads. They take messages as bytes and parse
// none, so that the server is the limit rather than they. For one thread.
class Crowd {
 public:
  // All share `connections` connections.
  Crowd(const std::string& address, int connections);
  ~Crowd();

  // Opens a stream of the log of `run`, or of what a bare server calls so. Readers that `stall`
  // read the first message and no other. Those with a pattern get what matches it.
  void Add(const std::string& run, bool stall = false, const std::string& pattern = "");

  // Until every stream has brought a message. Throws std::runtime_error if one ends before.
  void WaitUntilReady();

  // Until every stream has ended. Throws std::runtime_error unless all have ended well.
  void WaitUntilEnded();

  struct Totals {
    int64_t bytes = 0;                // of all readers together
    int64_t least_bytes = INT64_MAX;  // of the reader that got least
    int64_t least_lines = INT64_MAX;  // as the results at the ends say; -1 if one has none
  };
  // What came, once all have ended.
  Totals totals() const;

 private:
  class Reader;
  std::vector<std::unique_ptr<grpc::GenericStub>> stubs_;
  std::vector<std::unique_ptr<Reader>> readers_;
};

}  // namespace jobtail::bench

#endif  // JOBTAIL_BENCH_CROWD_H_
