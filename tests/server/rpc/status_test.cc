// Errors on their way to gRPC's clients.

#include "server/rpc/status.h"

#include <gmock/gmock.h>

#include <string>

namespace jobtail {
namespace {

using ::testing::EndsWith;
using ::testing::SizeIs;

TEST(ToGrpcStatus, KeepsCodeAndMessage) {
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
  const grpc::Status status = ToGrpcStatus(absl::NotFoundError("no run \"x\""));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(status.error_message(), "no run \"x\"");
  for (int code = 1; code <= 16; ++code) {
    EXPECT_EQ(ToGrpcStatus(absl::Status(static_cast<absl::StatusCode>(code), "x")).error_code(),
              code);
  }
}

TEST(ToGrpcStatus, CutsAMessageThatWouldNotFitBetweenCharacters) {
  const std::string long_message =
      ToGrpcStatus(absl::InternalError(std::string(9000, 'x'))).error_message();
  EXPECT_THAT(long_message, SizeIs(2004));
  EXPECT_THAT(long_message, EndsWith("x ..."));
  std::string wide = "x";
  for (int i = 0; i < 3000; ++i) wide += "\xc3\xa9";
  EXPECT_THAT(ToGrpcStatus(absl::InternalError(wide)).error_message(), EndsWith("\xc3\xa9 ..."));
}

}  // namespace
}  // namespace jobtail
