// A gRPC call of any method with any bytes.
#ifndef JOBTAIL_TESTS_E2E_RAW_CALL_H_
#define JOBTAIL_TESTS_E2E_RAW_CALL_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

namespace jobtail::e2e {

struct RawReply {
  grpc::Status status;
  std::vector<std::string> messages;
};

// Calls `method`, such as "/package.Service/Method", with a request of these bytes, and reads
// whatever comes back: for services whose stubs are not at hand, and for bytes that no stub sends.
RawReply RawCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                 const std::string& request);

}  // namespace jobtail::e2e

#endif  // JOBTAIL_TESTS_E2E_RAW_CALL_H_
