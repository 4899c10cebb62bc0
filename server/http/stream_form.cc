// The text around and between what is rendered.
#include "server/http/stream_form.h"

#include <google/protobuf/util/json_util.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "jobtail/v1/run.pb.h"
#include "server/http/html.h"
#include "server/http/status.h"

namespace jobtail::http {
namespace {

// A lost connection is to be taken up again soon, in milliseconds.
constexpr char kRetry[] = "retry: 1000\n\n";

// EventSource reconnects by itself whatever happens, unless it is told by "end" that there is no
// point in that. A server that will be back does not say so.
std::string LastEvent(const absl::Status& status) {
  if (status.ok()) return "event: end\ndata: {}\n\n";
  if (absl::IsUnavailable(status)) return absl::StrCat(": ", ToJson(status), "\n\n");
  return absl::StrCat("event: end\ndata: {\"error\":", ToJson(status), "}\n\n");
}

Slice Piece(SharedBytes bytes) {
  const size_t size = bytes->size();
  return {std::move(bytes), 0, size};
}

}  // namespace

std::string StreamForm::Head() const {
  return (format_ == Format::kEventStream ? kRetry : "") + head_;
}

void StreamForm::Render(std::vector<Slice>* slices) const {
  std::vector<Slice> pieces;
  if (IsOfRuns()) {
    if (std::string text = RenderRuns(*slices); !text.empty()) {
      pieces.push_back(Piece(Share(std::move(text))));
    }
  } else {
    pieces.reserve(slices->size());
    for (const Slice& slice : *slices) {
      SharedBytes rendered = cache_->Get(slice, format_);
      if (!rendered->empty()) pieces.push_back(Piece(std::move(rendered)));
    }
  }
  slices->swap(pieces);
}

std::string StreamForm::RenderRuns(const std::vector<Slice>& runs) const {
  std::string text;
  for (const Slice& slice : runs) {
    v1::Run run;
    std::string json;
    if (!run.ParseFromArray(slice.view().data(), static_cast<int>(slice.size)) ||
        !google::protobuf::util::MessageToJsonString(run, &json).ok()) {
      continue;  // was encoded by this program
    }
    if (format_ == Format::kEventStream) {
      absl::StrAppend(&text, "event: run\ndata: ", json, "\n\n");
    } else {
      absl::StrAppend(&text, "{\"result\":", json, "}\n");
    }
  }
  return text;
}

std::string StreamForm::Heartbeat(const Slice& heartbeat) const {
  if (!HasHeartbeat()) return "";
  if (heartbeat.buffer) return http::Render(heartbeat.view(), format_);
  // A Run has no place for a heartbeat; readers of NDJSON skip empty lines.
  return format_ == Format::kEventStream ? "event: heartbeat\ndata: {}\n\n" : "\n";
}

std::string StreamForm::Ending(const absl::Status& status) const {
  if (format_ == Format::kEventStream) return LastEvent(status);
  if (status.ok()) return "";
  std::string text;
  if (format_ == Format::kNdjson) text = absl::StrCat("{\"error\":", ToJson(status), "}\n");
  if (format_ == Format::kHtml) {
    text = "</pre>\n<p>";
    AppendHtmlText({status.message().data(), status.message().size()}, &text);
    text += "</p>\n";
  }
  return text;
}

}  // namespace jobtail::http
