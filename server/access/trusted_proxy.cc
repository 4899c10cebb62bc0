// Headers that name users and groups.
#include "server/access/trusted_proxy.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/quoting.h"

namespace jobtail::access {
namespace {

constexpr size_t kMaxUserBytes = 256;
constexpr size_t kMaxGroups = 1000;

// As the access file can write it.
bool IsNameOfUser(std::string_view name) {
  return IsPlainName(name) && name.size() <= kMaxUserBytes;
}

// A colon would make it one of the groups that other proofs have, such as "gid:0".
bool IsNameOfGroup(std::string_view name) {
  return IsNameOfUser(name) && name.find(':') == std::string_view::npos;
}

absl::Status BadHeader(const v1::TrustedProxy& proxy, const std::string& header,
                       std::string_view why) {
  return absl::UnauthenticatedError(
      absl::StrCat("proxy ", proxy.principal(), ": header ", header, ": ", std::string(why)));
}

absl::StatusOr<std::vector<std::string>> GroupsIn(const v1::TrustedProxy& proxy,
                                                  const HeaderValues& headers) {
  std::vector<std::string> groups;
  if (proxy.groups_header().empty()) return groups;
  for (const std::string& value : headers(proxy.groups_header())) {
    for (const absl::string_view part : absl::StrSplit(value, ',')) {
      const std::string group(absl::StripAsciiWhitespace(part));
      if (group.empty()) continue;
      if (!IsNameOfGroup(group)) {
        return BadHeader(proxy, proxy.groups_header(),
                         absl::StrCat(Quoted(group), " is no name of a group"));
      }
      groups.push_back(group);
    }
  }
  if (groups.size() > kMaxGroups) return BadHeader(proxy, proxy.groups_header(), "too many groups");
  std::ranges::sort(groups);
  return groups;
}

}  // namespace

bool IsHeaderForNames(std::string_view name) {
  constexpr std::string_view kTaken[] = {"authorization", "connection", "content-length",
                                         "content-type",  "cookie",     "host",
                                         "origin",        "referer",    "te",
                                         "traceparent",   "upgrade",    "user-agent"};
  return !name.empty() && !name.ends_with("-bin") && !name.starts_with("grpc-") &&
         std::ranges::find(kTaken, name) == std::end(kTaken) && name.front() != '-' &&
         std::ranges::all_of(name, [](char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-';
         });
}

absl::StatusOr<std::shared_ptr<const Principal>> NamedBy(const v1::TrustedProxy& proxy,
                                                         const HeaderValues& headers) {
  if (!headers) return nullptr;
  const std::vector<std::string> names = headers(proxy.user_header());
  if (names.empty()) return nullptr;
  if (names.size() > 1) {
    return BadHeader(proxy, proxy.user_header(),
                     "it is there twice; have the proxy replace what its clients send");
  }
  const std::string name(absl::StripAsciiWhitespace(names[0]));
  if (name.empty()) return nullptr;
  if (!IsNameOfUser(name)) {
    return BadHeader(proxy, proxy.user_header(),
                     "no name of up to 256 printable characters without blanks");
  }
  absl::StatusOr<std::vector<std::string>> groups = GroupsIn(proxy, headers);
  if (!groups.ok()) return groups.status();
  auto principal = std::make_shared<Principal>();
  principal->name = absl::StrCat("proxy:", name);
  principal->groups = *std::move(groups);
  principal->proof = Proof::kProxy;
  principal->via = proxy.principal();
  return principal;
}

}  // namespace jobtail::access
