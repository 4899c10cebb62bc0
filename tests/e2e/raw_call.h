// A gRPC call of any method with any bytes.
#ifndef JOBTAIL_TESTS_E2E_RAW_CALL_H_
#define JOBTAIL_TESTS_E2E_RAW_CALL_H_

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/e2e/http_client.h"

namespace jobtail::e2e {

struct RawReply {
  grpc::Status status;
  std::vector<std::string> messages;
};

// Calls `method`, such as "/package.Service/Method", with a request of these bytes, and reads
// whatever comes back: for services whose stubs are not at hand, and for bytes that no stub sends.
RawReply RawCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                 const std::string& request, const Headers& metadata = {});

// The same, message by message. One thread's.
class RawStream {
 public:
  RawStream(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
            const Headers& metadata = {});
  // Cancels what is not finished.
  ~RawStream();

  RawStream(const RawStream&) = delete;
  RawStream& operator=(const RawStream&) = delete;

  // False once the stream has ended.
  bool Write(const std::string& request);
  void WritesDone();
  // Waits for the next message; nullopt once there are no more.
  std::optional<std::string> Read();
  // Waits for the end, after the last message.
  grpc::Status Finish();

 private:
  bool Await();

  grpc::CompletionQueue queue_;
  grpc::ClientContext context_;
  grpc::GenericStub stub_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  bool finished_ = false;
};

}  // namespace jobtail::e2e

#endif  // JOBTAIL_TESTS_E2E_RAW_CALL_H_
