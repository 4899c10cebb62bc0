#ifndef JOBTAIL_CLIENT_CLI_NEAR_H_
#define JOBTAIL_CLIENT_CLI_NEAR_H_

#include <string>
#include <vector>

namespace jobtail::client::cli {

// Those of `names` that somebody who typed `name` may have meant, the nearest first: at most three,
// by how many letters would have to be typed otherwise, or two neighbours swapped.
std::vector<std::string> NearNames(const std::string& name, const std::vector<std::string>& names);

// "; did you mean a or b?", or "" where nothing is near. Names are made harmless by Printable().
std::string DidYouMean(const std::string& name, const std::vector<std::string>& names);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_NEAR_H_
