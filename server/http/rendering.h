// Records of a log as text in the formats that streams have.
#ifndef JOBTAIL_SERVER_HTTP_RENDERING_H_
#define JOBTAIL_SERVER_HTTP_RENDERING_H_

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/log/batch.h"

namespace jobtail::http {

// The forms that a stream can have.
enum class Format {
  kNdjson,       // application/x-ndjson: {"result": LogLine} a line, as grpc-gateway has it
  kEventStream,  // text/event-stream: an event for each LogLine, with the record's number as its id
  kText,         // text/plain: the bytes as the job printed them
  kHtml,         // text/html: the same, within <pre>
};

// The records of `batch` (elements of a LogBatch) in that form.
std::string Render(std::string_view batch, Format format);

// What was rendered lately: the readers of a batch who want the same form share one rendering.
// Thread-safe.
class RenderingCache {
 public:
  SharedBytes Get(const Slice& slice, Format format);

 private:
  using Key = std::tuple<const void*, size_t, size_t, Format>;
  struct Entry {
    Key key;
    SharedBytes buffer;  // held, so that no other gets its address
    SharedBytes rendered;
  };

  void AddLocked(Entry entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  std::list<Entry> entries_ ABSL_GUARDED_BY(mutex_);  // the latest first
  std::map<Key, std::list<Entry>::iterator> index_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_RENDERING_H_
