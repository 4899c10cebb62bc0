// How many there are of each name, and in all.
#ifndef JOBTAIL_BASE_TALLY_H_
#define JOBTAIL_BASE_TALLY_H_

#include <cstddef>
#include <string>

#include "absl/container/flat_hash_map.h"

namespace jobtail {

// What is bounded by name, such as a client's address (see NetworkOf), and in all: connections,
// requests, bytes. Only names that have something take memory. Not thread-safe.
class Tally {
 public:
  // So many more of that name; `amount` less of what was added.
  void Add(const std::string& name, size_t amount = 1);
  void Remove(const std::string& name, size_t amount = 1);

  size_t Of(const std::string& name) const;
  size_t total() const { return total_; }
  // How many names have something.
  size_t names() const { return counts_.size(); }

  // Whether one more of that name fits in both bounds.
  bool HasRoom(const std::string& name, size_t most, size_t most_of_name) const {
    return total_ < most && Of(name) < most_of_name;
  }

 private:
  size_t total_ = 0;
  absl::flat_hash_map<std::string, size_t> counts_;
};

}  // namespace jobtail

#endif  // JOBTAIL_BASE_TALLY_H_
