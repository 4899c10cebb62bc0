// Moves what a former process has left in a journal into the database.
#ifndef JOBTAIL_SERVER_STORE_JOURNAL_RECOVERY_H_
#define JOBTAIL_SERVER_STORE_JOURNAL_RECOVERY_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "server/store/journal_frame.h"
#include "server/store/rocksdb_store.h"

namespace jobtail {

// Appends to each run's log in `store` what of `entries` continues it, joined to batches of at most
// `join_bytes` (0: as they are), and forces it onto the disk. Most entries continue nothing, in the
// course of things: the database has them. If the machine has crashed, it may lack what came before
// them; then they are left out, and the server's log says so.
//
// What is wrong with one run costs only that run. An error is one of the disk: nothing may be
// forgotten, and the next process tries again.
absl::Status RecoverJournal(const std::vector<JournalEntry>& entries, size_t join_bytes,
                            RocksDbStore* store);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_JOURNAL_RECOVERY_H_
