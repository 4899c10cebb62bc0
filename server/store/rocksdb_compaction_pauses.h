// What becomes of compaction where a file cannot be read any more.
#ifndef JOBTAIL_SERVER_STORE_ROCKSDB_COMPACTION_PAUSES_H_
#define JOBTAIL_SERVER_STORE_ROCKSDB_COMPACTION_PAUSES_H_

#include <rocksdb/db.h>
#include <rocksdb/listener.h>

#include <map>
#include <string>
#include <unordered_map>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace jobtail {

// Pauses the compaction of a column family that fails again and again, for RocksDB would go on
// trying every second, and hold up all writing once too many files wait for it. A pause is an
// attempt to come every ten minutes: a disk may be well again, the file deleted. Meanwhile the
// family has as many files as it takes. One for each opening of a database. Thread-safe.
class CompactionPauses : public rocksdb::EventListener {
 public:
  // In a row, before there is a pause.
  static constexpr int kFailures = 3;
  static constexpr absl::Duration kPause = absl::Minutes(10);

  // Begins and ends pauses; to be called every second or so. `now` is the steady clock's. What it
  // cannot set it tries again the next time.
  void Apply(rocksdb::DB* database, absl::Span<rocksdb::ColumnFamilyHandle* const> families,
             absl::Duration now);

  void OnCompactionCompleted(rocksdb::DB* database,
                             const rocksdb::CompactionJobInfo& info) override;

 private:
  struct Family {
    int failures = 0;
    bool is_paused = false;
    bool is_unlimited = false;  // in files that wait for compaction
    absl::Duration resumes = absl::ZeroDuration();
  };

  enum class Step { kNone, kPause, kResume, kLimit };
  using Options = std::unordered_map<std::string, std::string>;

  Step NextOf(const std::string& name, absl::Duration now) const;
  static Options OptionsOf(Step step);
  void Note(const std::string& name, Step step, absl::Duration now);

  mutable absl::Mutex mutex_;
  std::map<std::string, Family> families_ ABSL_GUARDED_BY(mutex_);  // of which one has failed
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_ROCKSDB_COMPACTION_PAUSES_H_
