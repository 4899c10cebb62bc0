// Reads what a former process has left in a journal.
#ifndef JOBTAIL_SERVER_STORE_JOURNAL_READER_H_
#define JOBTAIL_SERVER_STORE_JOURNAL_READER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/store/journal_frame.h"

namespace jobtail {

// The batches in the journal, in the order in which they were written: of each half all up to the
// first frame that is torn. Some of them may have been released. Where the halves begin, the file
// says, or its length. Empty if there is no such file. What no server can have meant is left out,
// and the server's log says so.
//
// Changes nothing. FAILED_PRECONDITION if a newer server has written it, UNAVAILABLE if it cannot
// be read.
absl::StatusOr<std::vector<JournalEntry>> ReadJournal(const std::string& path);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_JOURNAL_READER_H_
