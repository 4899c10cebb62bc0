// Addresses of other HTTP servers, and their queries.
#ifndef JOBTAIL_BASE_FETCH_URL_H_
#define JOBTAIL_BASE_FETCH_URL_H_

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace jobtail {

// INVALID_ARGUMENT, with what would be right, for an address that secrets must not be sent to:
// one that is not https, unless it is http on this machine (localhost, 127.0.0.0/8, ::1), or that
// names a user. A query is for endpoints alone.
absl::Status CheckUrl(const std::string& url, bool may_have_query = true);

// "login.example.com"; empty if it is no address.
std::string HostOfUrl(const std::string& url);

// "a=1&b=2", encoded.
std::string EncodeForm(const std::vector<std::pair<std::string, std::string>>& fields);

// The fields of that, decoded; of a name that is there twice, the first. What is not encoded right
// stays as it is.
std::map<std::string, std::string> DecodeForm(std::string_view form);

// The address with these fields added to its query.
std::string WithQuery(std::string_view url,
                      const std::vector<std::pair<std::string, std::string>>& fields);

}  // namespace jobtail

#endif  // JOBTAIL_BASE_FETCH_URL_H_
