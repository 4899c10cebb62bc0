// The calls of the table of who may call what, and what comes of them.
#ifndef JOBTAIL_TESTS_E2E_ACCESS_TABLE_CALLS_H_
#define JOBTAIL_TESTS_E2E_ACCESS_TABLE_CALLS_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <map>
#include <string>

#include "jobtail/v1/job_service.grpc.pb.h"

namespace jobtail::e2e {

// What comes of a call: "yes", what it tells instead ("401"), or "-" for a list without it.
using Answer = std::string;

Answer OfGrpc(const grpc::Status& status);
Answer OfHttp(int status);

// What a list tells of something.
Answer InList(const Answer& answer, const std::string& text, const std::string& wanted);

// The run that a call is made about, with its job.
struct Target {
  std::string run;
  std::string job = "greet";
};

using GrpcCall = std::function<Answer(v1::JobService::Stub&, grpc::ClientContext*, const Target&)>;

// gRPC's calls, by name.
std::map<std::string, GrpcCall> GrpcCalls();

}  // namespace jobtail::e2e

#endif  // JOBTAIL_TESTS_E2E_ACCESS_TABLE_CALLS_H_
