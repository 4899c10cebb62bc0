#include "server/http/source.h"

#include <google/protobuf/util/json_util.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/http/html.h"
#include "server/http/status.h"

namespace jobtail::http {
namespace {

// Of encoded records. What is rendered of it is a few times as large.
constexpr size_t kPieceBytes = 64 << 10;

// So many runs go out together.
constexpr int kRunsPerPull = 64;

// A lost connection is to be taken up again soon, in milliseconds.
constexpr char kRetry[] = "retry: 1000\n\n";

Rendered Piece(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

// EventSource reconnects by itself whatever happens, unless it is told by "end" that there is no
// point in that. A server that will be back does not say so.
std::string LastEvent(const absl::Status& status) {
  if (status.ok()) return "event: end\ndata: {}\n\n";
  if (absl::IsUnavailable(status)) return absl::StrCat(": ", ToJson(status), "\n\n");
  return absl::StrCat("event: end\ndata: {\"error\":", ToJson(status), "}\n\n");
}

}  // namespace

std::string Source::Head() const { return format_ == Format::kEventStream ? kRetry : ""; }

std::string Source::Farewell(const absl::Status& status) const {
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

LogSource::LogSource(Format format, std::unique_ptr<Cursor> cursor, RenderingCache* cache,
                     std::string head, std::function<void()> on_gone)
    : Source(format),
      cursor_(std::move(cursor)),
      cache_(cache),
      head_(std::move(head)),
      on_gone_(std::move(on_gone)) {}

LogSource::~LogSource() {
  if (!ended_ && on_gone_) on_gone_();
}

absl::StatusOr<Cursor::Next> LogSource::Pull(Pieces* pieces) {
  std::vector<Slice> slices;
  const absl::StatusOr<Cursor::Next> next = cursor_->Read(kPieceBytes, &slices);
  for (const Slice& slice : slices) {
    Rendered piece = cache_->Get(slice, format());
    if (!piece->empty()) pieces->push_back(std::move(piece));
  }
  ended_ = next.ok() && *next == Cursor::Next::kEnd;
  return next;
}

std::string LogSource::Heartbeat() const {
  if (format() == Format::kText || format() == Format::kHtml) return "";
  return Render(cursor_->Heartbeat().view(), format());
}

std::string LogSource::ResumePoint() const {
  return absl::StrCat("go on with from_sequence=", cursor_->next());
}

WatchSource::WatchSource(Format format, std::unique_ptr<RunWatch> watch)
    : Source(format), watch_(std::move(watch)) {}

absl::StatusOr<Cursor::Next> WatchSource::Pull(Pieces* pieces) {
  std::string text;
  for (int runs = 0; runs < kRunsPerPull; ++runs) {
    const std::optional<v1::Run> run = watch_->Next();
    if (!run) {
      if (!text.empty()) pieces->push_back(Piece(std::move(text)));
      return Cursor::Next::kWait;
    }
    std::string json;
    const auto written = google::protobuf::util::MessageToJsonString(*run, &json);
    if (!written.ok()) return absl::InternalError("a run cannot be written as JSON");
    if (format() == Format::kEventStream) {
      absl::StrAppend(&text, "event: run\ndata: ", json, "\n\n");
    } else {
      absl::StrAppend(&text, "{\"result\":", json, "}\n");
    }
  }
  pieces->push_back(Piece(std::move(text)));
  return Cursor::Next::kMore;
}

std::string WatchSource::Heartbeat() const {
  // A Run has no place for a heartbeat; readers of NDJSON skip empty lines.
  return format() == Format::kEventStream ? "event: heartbeat\ndata: {}\n\n" : "\n";
}

}  // namespace jobtail::http
