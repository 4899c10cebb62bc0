// Whether text draws on more than its own row of a terminal.
#ifndef JOBTAIL_BASE_CURSOR_MOVES_H_
#define JOBTAIL_BASE_CURSOR_MOVES_H_

#include <string_view>

namespace jobtail {

// Whether `text` has an escape sequence that takes the cursor to another row, erases or scrolls
// others than its own, or may do so together with what came before (a saved cursor, a scrolling
// region, the alternate screen). What follows a "\r" does not make such text undone. Any bytes; a
// sequence that is not complete does not count. The console page's movesRows() is the same.
bool MovesToOtherRows(std::string_view text);

}  // namespace jobtail

#endif  // JOBTAIL_BASE_CURSOR_MOVES_H_
