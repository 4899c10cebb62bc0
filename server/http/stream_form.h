// How a stream looks in HTTP: its head, its pieces, its ending.
#ifndef JOBTAIL_SERVER_HTTP_STREAM_FORM_H_
#define JOBTAIL_SERVER_HTTP_STREAM_FORM_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/http/rendering.h"
#include "server/log/batch.h"

namespace jobtail::http {

// Turns what a Feed reads into text of one of the formats. Immutable, hence thread-safe.
class StreamForm {
 public:
  // Of a log; `head` goes before everything. `cache` outlives the form.
  static StreamForm OfLog(Format format, RenderingCache* cache, std::string head = "") {
    return {format, cache, std::move(head)};
  }
  // Of runs that change; there is no text nor HTML of these.
  static StreamForm OfRuns(Format format) { return {format, nullptr, ""}; }

  Format format() const { return format_; }

  // What goes before everything else; may be empty.
  std::string Head() const;

  // Puts text in place of what was read. What has no text in this format goes.
  void Render(std::vector<Slice>* slices) const;

  // Whether there are heartbeats in this format, and how a Feed's looks.
  bool HasHeartbeat() const {
    return format_ == Format::kNdjson || format_ == Format::kEventStream;
  }
  std::string Heartbeat(const Slice& heartbeat) const;

  // What goes after everything else, for a stream that ended with `status`; may be empty.
  std::string Ending(const absl::Status& status) const;

 private:
  StreamForm(Format format, RenderingCache* cache, std::string head)
      : format_(format), cache_(cache), head_(std::move(head)) {}

  bool IsOfRuns() const { return cache_ == nullptr; }
  std::string RenderRuns(const std::vector<Slice>& runs) const;

  Format format_;
  RenderingCache* cache_;
  std::string head_;
};

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_STREAM_FORM_H_
