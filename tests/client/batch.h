// Batches of lines, as a server sends them.
#ifndef JOBTAIL_TESTS_CLIENT_BATCH_H_
#define JOBTAIL_TESTS_CLIENT_BATCH_H_

#include <initializer_list>

#include "jobtail/v1/log.pb.h"

namespace jobtail::client {

inline v1::LogBatch Batch(std::initializer_list<v1::LogLine> lines) {
  v1::LogBatch batch;
  for (const v1::LogLine& line : lines) *batch.add_lines() = line;
  return batch;
}

}  // namespace jobtail::client

#endif  // JOBTAIL_TESTS_CLIENT_BATCH_H_
