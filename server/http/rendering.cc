// A function for each format, and a cache of what was rendered lately.
#include "server/http/rendering.h"

#include "absl/strings/str_cat.h"
#include "base/codec/line_json.h"
#include "base/codec/log_line.h"
#include "server/http/html.h"

namespace jobtail::http {
namespace {

// Enough for the readers who are at the end of logs: those wake one after the other.
constexpr size_t kMaxCachedBytes = 8 << 20;
constexpr size_t kMaxCachedEntries = 256;

absl::string_view EventName(v1::LogLine::ContentCase content) {
  switch (content) {
    case v1::LogLine::kRun:
      return "run";
    case v1::LogLine::kProgress:
      return "progress";
    case v1::LogLine::kResult:
      return "result";
    case v1::LogLine::kGap:
      return "gap";
    case v1::LogLine::kHeartbeat:
      return "heartbeat";
    case v1::LogLine::kCut:
      return "cut";
    default:
      return "line";
  }
}

void AppendNdjson(const LineView& line, LineJsonWriter* writer, std::string* out) {
  out->append("{\"result\":");
  writer->Append(line, out);
  out->append("}\n");
}

// What a browser is to name when it comes back: it gets what follows that record. After a heartbeat
// that is as far as the server has looked, so that a search is not begun again. 0: as before.
int64_t EventId(const LineView& line) {
  if (line.content != v1::LogLine::kHeartbeat) return line.sequence;
  v1::Heartbeat heartbeat;
  heartbeat.ParseFromArray(line.bytes.data(), static_cast<int>(line.bytes.size()));
  return heartbeat.searched_through();
}

// JSON has no line ends within, so that one field `data` holds it.
void AppendEvent(const LineView& line, LineJsonWriter* writer, std::string* out) {
  absl::StrAppend(out, "event: ", EventName(line.content), "\n");
  if (const int64_t id = EventId(line); id != 0) absl::StrAppend(out, "id: ", id, "\n");
  out->append("data: ");
  writer->Append(line, out);
  out->append("\n\n");
}

// What is missing is never missing silently, not even here.
void AppendGap(const LineView& line, std::string* out) {
  v1::Gap gap;
  gap.ParseFromArray(line.bytes.data(), static_cast<int>(line.bytes.size()));
  absl::StrAppend(out, "[jobtail: records ", gap.first(), " to ", gap.last(),
                  " are missing: ", v1::GapReason_Name(gap.reason()), "]\n");
}

void AppendCut(const LineView& line, std::string* out) {
  v1::LineCut cut;
  cut.ParseFromArray(line.bytes.data(), static_cast<int>(line.bytes.size()));
  absl::StrAppend(out, "[jobtail: records ", cut.first(), " to ", cut.last(),
                  ", the beginning of a line that matches, are left out]\n");
}

void AppendPrinted(const LineView& line, std::string* out) {
  if (line.content == v1::LogLine::kGap) AppendGap(line, out);
  if (line.content == v1::LogLine::kCut) AppendCut(line, out);
  if (line.is_text()) out->append(line.bytes).append(EndingBytes(line.ending));
}

void AppendHtml(const LineView& line, std::string* out) {
  if (line.content == v1::LogLine::kResult) {
    v1::RunResult result;
    result.ParseFromArray(line.bytes.data(), static_cast<int>(line.bytes.size()));
    AppendHtmlResult(result, out);
    return;
  }
  std::string printed;
  AppendPrinted(line, &printed);
  const bool is_error = line.stream == v1::STREAM_STDERR;
  if (is_error) out->append("<span class=\"stderr\">");
  AppendHtmlText(printed, out);
  if (is_error) out->append("</span>");
}

}  // namespace

std::string Render(std::string_view batch, Format format) {
  std::string out;
  out.reserve(batch.size() * (format == Format::kText ? 1 : 3));
  LineJsonWriter writer(JsonFields::kSet);
  RecordWalker walker(batch);
  while (walker.Next()) {
    LineView line;
    if (!DecodeLine(walker.payload(), &line)) continue;
    switch (format) {
      case Format::kNdjson:
        AppendNdjson(line, &writer, &out);
        break;
      case Format::kEventStream:
        AppendEvent(line, &writer, &out);
        break;
      case Format::kText:
        AppendPrinted(line, &out);
        break;
      case Format::kHtml:
        AppendHtml(line, &out);
        break;
    }
  }
  return out;
}

SharedBytes RenderingCache::Get(const Slice& slice, Format format) {
  const Key key{slice.buffer.get(), slice.offset, slice.size, format};
  {
    absl::MutexLock lock(&mutex_);
    if (const auto found = index_.find(key); found != index_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return found->second->rendered;
    }
  }
  SharedBytes rendered = Share(Render(slice.view(), format));
  absl::MutexLock lock(&mutex_);
  AddLocked({key, slice.buffer, rendered});
  return rendered;
}

void RenderingCache::AddLocked(Entry entry) {
  if (index_.contains(entry.key)) return;  // another thread was faster
  bytes_ += entry.rendered->size() + entry.buffer->size();
  entries_.push_front(std::move(entry));
  index_[entries_.front().key] = entries_.begin();
  while (bytes_ > kMaxCachedBytes || entries_.size() > kMaxCachedEntries) {
    const Entry& oldest = entries_.back();
    bytes_ -= oldest.rendered->size() + oldest.buffer->size();
    index_.erase(oldest.key);
    entries_.pop_back();
  }
}

}  // namespace jobtail::http
