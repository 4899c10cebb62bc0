#ifndef JOBTAIL_BENCH_BARE_STREAMS_H_
#define JOBTAIL_BENCH_BARE_STREAMS_H_

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <memory>
#include <string>

#include "jobtail/v1/job_service.grpc.pb.h"

namespace jobtail::bench {

// gRPC without jobtail, the limit: a server whose TailLog sends the same ready-made batch over and
// over, and whose RunJob sends the same ready-made line, with buffer hints.
class BareServer {
 public:
  // Each stream has `lines` lines of `bytes` bytes.
  BareServer(int64_t lines, int bytes);
  ~BareServer();

  const std::string& address() const { return address_; }

 private:
  class Service;
  const std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace jobtail::bench

#endif  // JOBTAIL_BENCH_BARE_STREAMS_H_
