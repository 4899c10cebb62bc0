// A gRPC server without jobtail behind it: the upper limit for the benchmarks.
#ifndef JOBTAIL_BENCH_BARE_STREAMS_H_
#define JOBTAIL_BENCH_BARE_STREAMS_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

namespace jobtail::bench {

// gRPC without jobtail, the limit: a server whose TailLog sends the same ready-made batch over and
// over, and whose RunJob sends the same ready-made line, with buffer hints. What to send is said in
// the request:
//
//   TailLog, `run`:   "lines COUNT BYTES"         from one buffer that all streams share
//                     "lines COUNT BYTES GATE"    after an empty batch, once the fifo GATE opens
//                     "stamps COUNT INTERVAL_MICROS"
//   RunJob, `job`:    "lines", with `parameters` lines and bytes
class BareServer {
 public:
  BareServer();
  ~BareServer();

  // HOST:PORT, on loopback.
  const std::string& address() const { return address_; }

 private:
  class Service;
  const std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace jobtail::bench

#endif  // JOBTAIL_BENCH_BARE_STREAMS_H_
