// What the access file says of OpenID Connect issuers.
#ifndef JOBTAIL_SERVER_ACCESS_ISSUER_SETTINGS_H_
#define JOBTAIL_SERVER_ACCESS_ISSUER_SETTINGS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "jobtail/access/v1/access.pb.h"
#include "server/oidc/settings.h"

namespace jobtail::access {

// Tells of each mistake, with the index of the issuer that has it.
void CheckIssuers(const v1::AccessFile& file,
                  const std::function<void(int, const std::string&)>& say);

// Of a file without mistakes, whose names of files are absolute. Reads these; INVALID_ARGUMENT for
// one that has no keys, otherwise as ReadTrustedFile.
absl::StatusOr<std::vector<oidc::Settings>> ReadIssuers(const v1::AccessFile& file);

// The files that an access file names and whose changes count, each once.
std::vector<std::string> FilesOf(const v1::AccessFile& file);

}  // namespace jobtail::access

#endif  // JOBTAIL_SERVER_ACCESS_ISSUER_SETTINGS_H_
