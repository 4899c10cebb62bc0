// Its HTML, with every character of markup in the text escaped.
#include "server/http/html.h"

#include <google/protobuf/stubs/common.h>

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/run/text.h"

namespace jobtail::http {
namespace {

constexpr char kStyle[] =
    "body{font:1rem/1.4 system-ui,sans-serif;margin:1rem;color-scheme:light dark}"
    "pre{font:.9rem/1.4 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}"
    ".stderr{color:#c33}.mark{outline:1px solid;opacity:.7}";

struct Character {
  uint32_t code;  // 0xfffd for a byte that is part of none
  size_t bytes;
};

Character FirstOf(std::string_view text) {
  const auto first = static_cast<uint8_t>(text[0]);
  if (first < 0x80) return {first, 1};
  const size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (size > text.size() ||
      !google::protobuf::internal::IsStructurallyValidUTF8(text.data(), static_cast<int>(size))) {
    return {0xfffd, 1};
  }
  uint32_t code = first & (0xff >> (size + 1));
  for (size_t i = 1; i < size; ++i) code = code << 6 | (static_cast<uint8_t>(text[i]) & 0x3f);
  return {code, size};
}

// Turns the direction of writing, or hides.
bool IsDeceptive(uint32_t code) {
  return code == 0x061c || (code >= 0x200b && code <= 0x200f) ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code == 0xfeff;
}

void AppendCharacter(const Character& character, std::string_view bytes, std::string* html) {
  switch (character.code) {
    case '<':
      html->append("&lt;");
      return;
    case '>':
      html->append("&gt;");
      return;
    case '&':
      html->append("&amp;");
      return;
    case '"':
      html->append("&quot;");
      return;
    case '\'':
      html->append("&#39;");
      return;
    case '\n':
    case '\t':
      html->append(bytes);
      return;
    case '\r':  // what comes next would overwrite the line
      html->push_back('\n');
      return;
    case 0xfffd:
      html->append("\xef\xbf\xbd");
      return;
    default:
      break;
  }
  if (character.code < 0x20 ||
      character.code == 0x7f) {  // as the Unicode block of control pictures
    const uint32_t picture = character.code == 0x7f ? 0x21 : character.code;
    html->append({'\xe2', '\x90', static_cast<char>(0x80 + picture)});
  } else if (IsDeceptive(character.code) || (character.code >= 0x80 && character.code < 0xa0)) {
    absl::StrAppendFormat(html, "<span class=\"mark\">U+%04X</span>", character.code);
  } else {
    html->append(bytes);
  }
}

std::string Head(std::string_view title) {
  std::string text;
  AppendHtmlText(title, &text);
  return absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta "
      "name=\"viewport\" content=\"width=device-width\"><title>",
      text, "</title><style>", kStyle, "</style></head>\n<body><h1>", text, "</h1>\n");
}

std::string Shortened(std::string text) {
  constexpr size_t kMaxBytes = 500;
  if (text.size() <= kMaxBytes) return text;
  return absl::StrCat(ToUtf8(text, kMaxBytes), "... (", text.size(), " bytes)");
}

bool IsSecret(const v1::Job& job, const std::string& name) {
  return std::ranges::any_of(job.parameters(), [&name](const v1::Parameter& parameter) {
    return parameter.name() == name && parameter.secret();
  });
}

}  // namespace

std::string HtmlHead(std::string_view job, std::string_view run) {
  const absl::string_view id(run.data(), run.size());
  return absl::StrCat(Head(job), "<p>Run <a href=\"/runs/", id, "\">", id,
                      "</a></p>\n<pre role=\"log\" aria-live=\"polite\">\n");
}

std::string HtmlQuestion(const v1::Job& job, std::string_view target,
                         const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string html = Head(absl::StrCat("Run ", job.name(), "?"));
  html +=
      "<p>Nothing has been started yet: over plain HTTP a browser does not tell whether it was "
      "you who opened this address, or a page that you are looking at.</p>\n";
  if (!parameters.empty()) html += "<ul>\n";
  for (const auto& [name, value] : parameters) {
    html += "<li><code>";
    AppendHtmlText(Shortened(absl::StrCat(name, "=", IsSecret(job, name) ? "***" : value)), &html);
    html += "</code></li>\n";
  }
  if (!parameters.empty()) html += "</ul>\n";
  html += "<form method=\"post\" action=\"";
  AppendHtmlText(target, &html);
  html += "\"><button autofocus>Run it</button></form>\n<p>Programs send <code>POST /v1/jobs/";
  AppendHtmlText(job.name(), &html);
  html += ":run</code>.</p>\n</body></html>\n";
  return html;
}

std::string HtmlError(std::string_view message) {
  std::string html = Head("This was not started");
  html += "<p>";
  AppendHtmlText(message, &html);
  html += "</p>\n<p><a href=\"/\">See what can be run.</a></p>\n</body></html>\n";
  return html;
}

void AppendHtmlText(std::string_view bytes, std::string* html) {
  while (!bytes.empty()) {
    if (bytes.starts_with("\r\n")) bytes.remove_prefix(1);  // one end of a line, not two
    const Character character = FirstOf(bytes);
    AppendCharacter(character, bytes.substr(0, character.bytes), html);
    bytes.remove_prefix(character.bytes);
  }
}

void AppendHtmlResult(const v1::RunResult& result, std::string* html) {
  html->append("</pre>\n<p>");
  AppendHtmlText(v1::RunState_Name(result.state()), html);
  absl::StrAppend(html, ", exit code ", result.exit_code());
  if (!result.error().empty()) {
    html->append(": ");
    AppendHtmlText(result.error(), html);
  }
  html->append("</p>\n</body></html>\n");
}

}  // namespace jobtail::http
