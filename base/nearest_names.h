// Suggestions for a name that was mistyped, by edit distance.
#ifndef JOBTAIL_BASE_NEAREST_NAMES_H_
#define JOBTAIL_BASE_NEAREST_NAMES_H_

#include <string>
#include <vector>

namespace jobtail {

// Those of `names` that somebody who typed `name` may have meant, the nearest first: at most three,
// by how many letters would have to be typed otherwise, or two neighbours swapped. Upper and lower
// case count as alike. The time is that of the product of two names' lengths; names of more than
// 100 bytes are not looked at.
std::vector<std::string> NearestNames(const std::string& name,
                                      const std::vector<std::string>& names);

// "; did you mean a or b?", or "" where none is near. The names have gone through Printable().
std::string DidYouMean(const std::string& name, const std::vector<std::string>& names);

}  // namespace jobtail

#endif  // JOBTAIL_BASE_NEAREST_NAMES_H_
