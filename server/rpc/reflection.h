// What gRPC's server reflection answers.
#ifndef JOBTAIL_SERVER_RPC_REFLECTION_H_
#define JOBTAIL_SERVER_RPC_REFLECTION_H_

#include <google/protobuf/descriptor.h>

#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
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

  // What cannot be answered is answered with an error_response. The same file is made ready once:
  // after that an answer costs its copy.
  standard::v1::ServerReflectionResponse Answer(
      const standard::v1::ServerReflectionRequest& request) const;

 private:
  using Pool = google::protobuf::DescriptorPool;
  using File = google::protobuf::FileDescriptor;

  // Null if there is none.
  const File* FindFile(const standard::v1::ServerReflectionRequest& request) const;
  void Extensions(const std::string& name, standard::v1::ServerReflectionResponse* response) const;
  standard::v1::FileDescriptorResponse WithImports(const File& file) const;

  const std::vector<std::string> services_;
  Pool standard_;  // not changed once it is made, as that of generated code is not
  // What was asked for before.
  mutable absl::Mutex mutex_;
  mutable absl::flat_hash_map<const File*, standard::v1::FileDescriptorResponse> ready_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_REFLECTION_H_
