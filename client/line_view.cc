// Views of the lines in a batch.

#include "client/line_view.h"

namespace jobtail::client {

bool ViewLines(std::string_view batch, std::vector<LineView>* lines) {
  RecordWalker walker(batch);
  while (walker.Next()) {
    LineView& line = lines->emplace_back();
    if (!DecodeLine(walker.payload(), &line)) return false;
    if (!line.is_text() || line.sequence == 0 || line.has_unknown_fields) return false;
  }
  return walker.rest().empty();
}

}  // namespace jobtail::client
