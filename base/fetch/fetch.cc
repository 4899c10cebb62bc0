// libcurl, told what it may do.
#include "base/fetch/fetch.h"

#include <curl/curl.h>

#include <memory>
#include <mutex>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "base/fetch/url.h"

namespace jobtail {
namespace {

constexpr int kLookEvery = 250;  // ms, for a Cancel

struct Body {
  std::string text = {};
  size_t most = 0;
};

size_t Take(char* data, size_t /*size*/, size_t count, void* to) {
  auto* const body = static_cast<Body*>(to);
  if (body->text.size() + count > body->most) return 0;  // ends it
  body->text.append(data, count);
  return count;
}

void SetUp(const FetchRequest& request, const std::string& form, Body* body, char* trouble,
           CURL* curl) {
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, long{absl::ToInt64Milliseconds(request.timeout)});
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, trouble);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "jobtail");
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Take);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
  if (!request.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, request.ca_file.c_str());
  if (!request.form.empty()) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, static_cast<long>(form.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, form.c_str());
  }
  if (!request.user.empty()) {
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    curl_easy_setopt(curl, CURLOPT_USERNAME, request.user.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, request.password.c_str());
  }
}

// Until it is done, or cancelled.
CURLcode Perform(CURL* curl, const std::atomic<bool>& cancelled) {
  CURLM* const multi = curl_multi_init();
  if (!multi) return CURLE_OUT_OF_MEMORY;
  const absl::Cleanup cleanup = [=] {
    curl_multi_remove_handle(multi, curl);
    curl_multi_cleanup(multi);
  };
  curl_multi_add_handle(multi, curl);
  int running = 1;
  while (running > 0) {
    if (cancelled) return CURLE_ABORTED_BY_CALLBACK;
    if (curl_multi_perform(multi, &running) != CURLM_OK) return CURLE_FAILED_INIT;
    if (running > 0) curl_multi_poll(multi, nullptr, 0, kLookEvery, nullptr);
  }
  int left = 0;
  const CURLMsg* const message = curl_multi_info_read(multi, &left);
  return message ? message->data.result : CURLE_FAILED_INIT;
}

}  // namespace

Fetcher::Fetcher() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

absl::StatusOr<FetchAnswer> Fetcher::Fetch(const FetchRequest& request) {
  if (absl::Status right = CheckUrl(request.url); !right.ok()) return right;
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 curl_easy_cleanup);
  if (!curl) return absl::UnavailableError("libcurl cannot be used");
  char trouble[CURL_ERROR_SIZE] = "";
  Body body{.most = request.max_bytes};
  const std::string form = EncodeForm(request.form);
  SetUp(request, form, &body, trouble, curl.get());
  const CURLcode code = Perform(curl.get(), cancelled_);
  if (cancelled_) return absl::CancelledError("it was given up");
  if (code == CURLE_WRITE_ERROR) {
    return absl::UnavailableError(
        absl::StrCat(request.url, ": the answer exceeds ", request.max_bytes, " bytes"));
  }
  if (code != CURLE_OK) {
    return absl::UnavailableError(absl::StrCat(
        request.url, ": ", trouble[0] ? std::string(trouble) : curl_easy_strerror(code)));
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  return FetchAnswer{static_cast<int>(status), std::move(body.text)};
}

}  // namespace jobtail
