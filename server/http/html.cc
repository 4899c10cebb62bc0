// Writes pages of HTML, with every character of markup in the text escaped.
#include "server/http/html.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/deceptive.h"
#include "base/utf8.h"

namespace jobtail::http {
namespace {

constexpr char kStyle[] =
    "body{font:1rem/1.4 system-ui,sans-serif;margin:1rem;color-scheme:light dark}"
    "pre{font:.9rem/1.4 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}"
    ".stderr{color:#c33}.mark{outline:1px solid;opacity:.7}";

// `before` and `after` are what it stands between; 0: nothing.
void AppendCharacter(const Utf8Character& character, std::string_view bytes, char32_t before,
                     char32_t after, std::string* html) {
  if (!character.valid) {
    html->append("\xef\xbf\xbd");  // U+FFFD
    return;
  }
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
    default:
      break;
  }
  const auto code = static_cast<uint32_t>(character.code);
  if (code < 0x20 || code == 0x7f) {  // as the Unicode block of control pictures
    const uint32_t picture = code == 0x7f ? 0x21 : code;
    html->append({'\xe2', '\x90', static_cast<char>(0x80 + picture)});
  } else if (IsDeceptive(code, before, after) || IsControl(code)) {
    absl::StrAppendFormat(html, "<span class=\"mark\">U+%04X</span>", code);
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

std::string HtmlHead(std::string_view job, std::string_view run, std::string_view root) {
  const absl::string_view id(run.data(), run.size());
  return absl::StrCat(Head(job), "<p>Run <a href=\"", std::string(root), "runs/", id, "\">", id,
                      "</a></p>\n<pre role=\"log\" aria-live=\"polite\">\n");
}

std::string HtmlQuestion(const v1::Job& job,
                         const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string html = Head(absl::StrCat("Run ", job.name(), "?"));
  html +=
      "<p>Nothing has been started yet: an address may have been opened by a link, or by a page "
      "that you are looking at.</p>\n";
  if (!parameters.empty()) html += "<ul>\n";
  for (const auto& [name, value] : parameters) {
    html += "<li><code>";
    AppendHtmlText(Shortened(absl::StrCat(name, "=", IsSecret(job, name) ? "***" : value)), &html);
    html += "</code></li>\n";
  }
  if (!parameters.empty()) html += "</ul>\n";
  html += "<form method=\"post\"><button autofocus>Run it</button></form>\n";
  html += "<p>Programs send <code>POST /v1/jobs/";
  AppendHtmlText(job.name(), &html);
  html += ":run</code>.</p>\n</body></html>\n";
  return html;
}

std::string HtmlError(std::string_view message, std::string_view root) {
  std::string html = Head("This was not started");
  html += "<p>";
  AppendHtmlText(message, &html);
  absl::StrAppend(&html, "</p>\n<p><a href=\"", std::string(root),
                  "\">See what can be run.</a></p>\n</body></html>\n");
  return html;
}

std::string HtmlSignInError(std::string_view message, std::string_view root) {
  std::string html = Head("You are not signed in");
  html += "<p>";
  AppendHtmlText(message, &html);
  absl::StrAppend(&html, "</p>\n<p><a href=\"", std::string(root),
                  "\">Back to the beginning.</a></p>\n</body></html>\n");
  return html;
}

void AppendHtmlText(std::string_view bytes, std::string* html) {
  char32_t before = 0;
  while (!bytes.empty()) {
    if (bytes.starts_with("\r\n")) bytes.remove_prefix(1);  // one end of a line, not two
    const Utf8Character character = FirstCharacter(bytes);
    const std::string_view rest = bytes.substr(character.bytes);
    const char32_t after = rest.empty() ? 0 : FirstCharacter(rest).code;
    AppendCharacter(character, bytes.substr(0, character.bytes), before, after, html);
    before = character.code;
    bytes = rest;
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
