// Writes into the database of a store that is closed, past everything that checks it. Each function
// ends the process where that fails.
#ifndef JOBTAIL_TESTS_SERVER_SUPPORT_RAW_DATABASE_H_
#define JOBTAIL_TESTS_SERVER_SUPPORT_RAW_DATABASE_H_

#include <map>
#include <string>

namespace jobtail::testing {

// Puts each value under its key in the index.
void PutIndexValues(const std::string& directory, const std::map<std::string, std::string>& values);

void AddColumnFamily(const std::string& directory, const std::string& name);

}  // namespace jobtail::testing

#endif  // JOBTAIL_TESTS_SERVER_SUPPORT_RAW_DATABASE_H_
