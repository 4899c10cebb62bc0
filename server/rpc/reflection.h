// What gRPC's server reflection answers.
#ifndef JOBTAIL_SERVER_RPC_REFLECTION_H_
#define JOBTAIL_SERVER_RPC_REFLECTION_H_

#include <google/protobuf/descriptor_database.h>

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "jobtail/standard/v1/reflection.pb.h"

namespace jobtail {

// Describes the services of a server to clients that have no protos: those of the program's
// generated code, and gRPC's own, whose code has no descriptors. Thread-safe.
class Reflection {
 public:
  // `services` are listed: full names.
  explicit Reflection(std::vector<std::string> services);

  Reflection(const Reflection&) = delete;
  Reflection& operator=(const Reflection&) = delete;

  // What cannot be answered is answered with an error_response.
  standard::v1::ServerReflectionResponse Answer(
      const standard::v1::ServerReflectionRequest& request) const;

 private:
  void AnswerInto(const standard::v1::ServerReflectionRequest& request,
                  standard::v1::ServerReflectionResponse* response) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool AddWithImports(const google::protobuf::FileDescriptorProto& file,
                      standard::v1::FileDescriptorResponse* files) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::vector<std::string> services_;
  google::protobuf::SimpleDescriptorDatabase standard_;
  google::protobuf::DescriptorPoolDatabase generated_;
  // Of both. Does not say that several threads may look something up.
  mutable absl::Mutex mutex_;
  mutable google::protobuf::MergedDescriptorDatabase files_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_REFLECTION_H_
