// Taking addresses apart.
#include "base/fetch/url.h"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/quoting.h"

namespace jobtail {
namespace {

using Url = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

Url Parse(const std::string& text) {
  Url url(curl_url(), curl_url_cleanup);
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
    return {nullptr, curl_url_cleanup};
  }
  return url;
}

std::string PartOf(const Url& url, CURLUPart part) {
  char* value = nullptr;
  if (!url || curl_url_get(url.get(), part, &value, 0) != CURLUE_OK) return "";
  std::string text(value);
  curl_free(value);
  return text;
}

bool IsThisMachine(std::string host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  in_addr v4{};
  in6_addr v6{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) return IN6_IS_ADDR_LOOPBACK(&v6);
  return absl::AsciiStrToLower(host) == "localhost";
}

bool IsPlain(unsigned char c) {
  return absl::ascii_isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

void AppendEncoded(std::string_view text, std::string* out) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (IsPlain(byte)) {
      *out += c;
    } else {
      absl::StrAppend(out, "%", std::string(1, kDigits[byte >> 4]),
                      std::string(1, kDigits[byte & 15]));
    }
  }
}

int DigitOf(char c) {
  return absl::ascii_isxdigit(static_cast<unsigned char>(c))
             ? (absl::ascii_isdigit(static_cast<unsigned char>(c)) ? c - '0' : (c | 32) - 'a' + 10)
             : -1;
}

std::string Decoded(absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_escape = text[i] == '%' && i + 2 < text.size() && DigitOf(text[i + 1]) >= 0 &&
                           DigitOf(text[i + 2]) >= 0;
    if (is_escape) {
      decoded += static_cast<char>(DigitOf(text[i + 1]) * 16 + DigitOf(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

}  // namespace

absl::Status CheckUrl(const std::string& url, bool may_have_query) {
  const Url parsed = Parse(url);
  const std::string scheme = PartOf(parsed, CURLUPART_SCHEME);
  const std::string host = PartOf(parsed, CURLUPART_HOST);
  if (host.empty() || (scheme != "https" && scheme != "http")) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(url), " is no address; give https://HOST/..."));
  }
  if (scheme == "http" && !IsThisMachine(host)) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(url), " is not encrypted; give https://..., http:// is for this ",
                     "machine alone (127.0.0.1)"));
  }
  const bool has_more = !PartOf(parsed, CURLUPART_USER).empty() ||
                        !PartOf(parsed, CURLUPART_PASSWORD).empty() ||
                        !PartOf(parsed, CURLUPART_FRAGMENT).empty() ||
                        (!may_have_query && !PartOf(parsed, CURLUPART_QUERY).empty());
  if (has_more) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(url), ": give https://HOST/PATH, without more"));
  }
  return absl::OkStatus();
}

std::string HostOfUrl(const std::string& url) { return PartOf(Parse(url), CURLUPART_HOST); }

std::string EncodeForm(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string form;
  for (const auto& [name, value] : fields) {
    if (!form.empty()) form += '&';
    AppendEncoded(name, &form);
    form += '=';
    AppendEncoded(value, &form);
  }
  return form;
}

std::map<std::string, std::string> DecodeForm(std::string_view form) {
  std::map<std::string, std::string> fields;
  for (const absl::string_view field :
       absl::StrSplit(absl::string_view(form.data(), form.size()), '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(field, absl::MaxSplits('=', 1));
    fields.emplace(Decoded(parts.first), Decoded(parts.second));
  }
  return fields;
}

std::string WithQuery(std::string_view url,
                      const std::vector<std::pair<std::string, std::string>>& fields) {
  const bool has_query = url.find('?') != std::string_view::npos;
  return absl::StrCat(std::string(url), has_query ? "&" : "?", EncodeForm(fields));
}

}  // namespace jobtail
