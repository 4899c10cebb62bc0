// Media types in the order of their weights.
#include "server/http/accept.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace jobtail::http {
namespace {

std::optional<Format> FormatOf(absl::string_view type, Format fallback) {
  if (type == "*/*") return fallback;
  if (type == "text/event-stream") return Format::kEventStream;
  if (type == "application/x-ndjson" || type == "application/ndjson" ||
      type == "application/json" || type == "application/*") {
    return Format::kNdjson;
  }
  if (type == "text/plain" || type == "text/*") return Format::kText;
  return std::nullopt;
}

// The weight among the parameters of a media range; 1 if it has none.
double Weight(const std::vector<absl::string_view>& parameters) {
  for (const absl::string_view parameter : parameters) {
    absl::string_view value = absl::StripAsciiWhitespace(parameter);
    double weight;
    if (absl::ConsumePrefix(&value, "q=")) return absl::SimpleAtod(value, &weight) ? weight : 0;
  }
  return 1;
}

}  // namespace

std::optional<Format> ChooseFormat(std::string_view accept, Format fallback) {
  if (accept.empty()) return fallback;
  std::optional<Format> best;
  double best_weight = 0;
  const absl::string_view all(accept.data(), accept.size());
  for (const absl::string_view range : absl::StrSplit(all, ',')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(range, ';');
    const std::string type = absl::AsciiStrToLower(absl::StripAsciiWhitespace(parts[0]));
    const std::optional<Format> format = FormatOf(type, fallback);
    const double weight = Weight(parts);
    if (!format || weight <= best_weight) continue;
    best = format;
    best_weight = weight;
  }
  return best;
}

std::string_view ContentType(Format format) {
  switch (format) {
    case Format::kNdjson:
      return "application/x-ndjson";
    case Format::kEventStream:
      return "text/event-stream";
    case Format::kText:
      return "text/plain; charset=utf-8";
    case Format::kHtml:
      return "text/html; charset=utf-8";
  }
  return "";
}

}  // namespace jobtail::http
