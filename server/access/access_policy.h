// What the access file allows.
#ifndef JOBTAIL_SERVER_ACCESS_ACCESS_POLICY_H_
#define JOBTAIL_SERVER_ACCESS_ACCESS_POLICY_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "jobtail/access/v1/access.pb.h"
#include "server/access/principal.h"
#include "server/access/verb.h"

namespace jobtail::access {

using Labels = std::map<std::string, std::string>;

// How much a principal may have at a time; 0: without limit.
struct Limits {
  int64_t active_runs = 0;
  int64_t streams = 0;
  double calls_per_second = 0;
  int64_t queued_runs = 0;
  int64_t connections = 0;
  int64_t request_bytes = 0;
};

// One rule, as one principal has it.
struct Rule {
  std::string job = {};  // a pattern; empty: any
  Labels labels = {};
  VerbSet verbs = 0;
  bool own_runs = false;

  bool Fits(const std::string& job_name, const Labels& job_labels) const;
};

// What one principal may do. A value that never changes; thread-safe.
class Rights {
 public:
  // `everything`: what is said of rules does not count.
  explicit Rights(bool everything = false) : everything_(everything) {}
  Rights(std::vector<Rule> rules, Limits limits) : rules_(std::move(rules)), limits_(limits) {}

  bool everything() const { return everything_; }
  const std::vector<Rule>& rules() const { return rules_; }
  const Limits& limits() const { return limits_; }

  // With whose runs of the job one of the verbs, at least, is allowed.
  Scope ScopeOf(VerbSet verbs, const std::string& job, const Labels& labels) const;
  // Whether one of the verbs is allowed with anything.
  bool MayAny(VerbSet verbs) const;

 private:
  bool everything_ = false;
  std::vector<Rule> rules_;
  Limits limits_;
};

// An access file, checked. Never changes; thread-safe.
class AccessPolicy {
 public:
  // `file` is for messages, and what relative names in it start from. INVALID_ARGUMENT with a line
  // `file:line:column: what, and what would be right` for each mistake.
  static absl::StatusOr<std::shared_ptr<const AccessPolicy>> Parse(const std::string& text,
                                                                   const std::string& file);

  // Those of the principal's grants together. kLocal may do everything.
  std::shared_ptr<const Rights> RightsOf(const Principal& principal) const;
  // The groups that the principal's proof has named and those of the file, sorted.
  std::vector<std::string> GroupsOf(const Principal& principal) const;
  // Whether anything is granted to who is not known.
  bool knows_anonymous() const { return knows_anonymous_; }

  // The proxy whose connection proves that it is `name`; null: nobody of that name is trusted.
  const v1::TrustedProxy* FindProxy(const std::string& name) const;

  // As the file has it; names of files are absolute, if they are there.
  const v1::AccessFile& proto() const { return proto_; }

 private:
  explicit AccessPolicy(v1::AccessFile proto);

  bool IsNamed(const v1::Grant& grant, const Principal& principal,
               const std::vector<std::string>& groups) const;

  const v1::AccessFile proto_;
  std::map<std::string, const v1::Role*> roles_;
  bool knows_anonymous_ = false;
};

// Whether `text` is what `pattern` describes: "*" is any text, "?" any one byte.
bool IsMatch(const std::string& pattern, const std::string& text);

}  // namespace jobtail::access

#endif  // JOBTAIL_SERVER_ACCESS_ACCESS_POLICY_H_
