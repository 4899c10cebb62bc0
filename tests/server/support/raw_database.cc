// A closed store's database, opened past the store.

#include "tests/server/support/raw_database.h"

#include <rocksdb/db.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

namespace jobtail::testing {
namespace {

void Check(const rocksdb::Status& status) {
  if (status.ok()) return;
  fprintf(stderr, "the database cannot be written to: %s\n", status.ToString().c_str());
  abort();
}

// A database, open with whatever column families it has.
class Raw {
 public:
  explicit Raw(const std::string& directory) {
    std::vector<std::string> names;
    Check(rocksdb::DB::ListColumnFamilies({}, directory, &names));
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : names) {
      families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    }
    rocksdb::DB* opened = nullptr;
    Check(rocksdb::DB::Open({}, directory, families, &handles_, &opened));
    db_.reset(opened);
  }
  ~Raw() {
    for (rocksdb::ColumnFamilyHandle* family : handles_) {
      Check(db_->DestroyColumnFamilyHandle(family));
    }
  }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;

  rocksdb::DB* db() { return db_.get(); }

  rocksdb::ColumnFamilyHandle* Find(const std::string& name) {
    for (rocksdb::ColumnFamilyHandle* family : handles_) {
      if (family->GetName() == name) return family;
    }
    Check(rocksdb::Status::NotFound(name));
    return nullptr;
  }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

}  // namespace

void PutIndexValues(const std::string& directory,
                    const std::map<std::string, std::string>& values) {
  Raw raw(directory);
  for (const auto& [key, value] : values) Check(raw.db()->Put({}, raw.Find("index"), key, value));
}

void AddColumnFamily(const std::string& directory, const std::string& name) {
  Raw raw(directory);
  rocksdb::ColumnFamilyHandle* family = nullptr;
  Check(raw.db()->CreateColumnFamily({}, name, &family));
  Check(raw.db()->DestroyColumnFamilyHandle(family));
}

}  // namespace jobtail::testing
