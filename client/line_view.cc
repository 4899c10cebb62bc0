// Views of the lines in a batch.

#include "client/line_view.h"

#include <algorithm>
#include <utility>

#include "base/codec/wire.h"

namespace jobtail::client {
namespace {

// How many bytes are missing of the element that `begun` is the beginning of, as far as can be
// told: at least one while its length is not there.
size_t MissingBytes(std::string_view begun) {
  WireReader reader(begun);
  uint64_t tag;
  uint64_t size;
  if (!reader.ReadVarint(&tag) || !reader.ReadVarint(&size)) return 1;
  const auto header = static_cast<size_t>(reader.position() - begun.data());
  const size_t there = begun.size() - header;
  return size > there ? static_cast<size_t>(size) - there : 0;
}

}  // namespace

void LineViews::Clear() {
  lines_.clear();
  torn_.clear();
  joined_.clear();
}

bool LineViews::Parse(absl::Span<const std::string_view> pieces) {
  Clear();
  for (std::string_view piece : pieces) {
    if (!torn_.empty()) {
      if (!Complete(&piece)) continue;
      std::string_view rest;
      if (!ParseWhole(joined_.emplace_back(std::exchange(torn_, {})), &rest) || !rest.empty()) {
        return false;
      }
    }
    std::string_view rest;
    if (!ParseWhole(piece, &rest)) return false;
    torn_.assign(rest);
  }
  return torn_.empty();
}

// Moves from the front of `*piece` into torn_ what makes that whole. False if it was not enough.
bool LineViews::Complete(std::string_view* piece) {
  while (const size_t missing = MissingBytes(torn_)) {
    if (piece->empty()) return false;
    const size_t taken = std::min(missing, piece->size());
    torn_.append(piece->substr(0, taken));
    piece->remove_prefix(taken);
  }
  return true;
}

// `*rest` is what follows the last whole element.
bool LineViews::ParseWhole(std::string_view elements, std::string_view* rest) {
  RecordWalker walker(elements);
  while (walker.Next()) {
    LineView& line = lines_.emplace_back();
    if (!DecodeLine(walker.payload(), &line)) return false;
    if (!line.is_text() || line.sequence == 0 || line.has_unknown_fields) return false;
  }
  *rest = walker.rest();
  return true;
}

}  // namespace jobtail::client
