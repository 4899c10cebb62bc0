// The width of text in a terminal's columns, and cutting text to a width.
#ifndef JOBTAIL_BASE_DISPLAY_WIDTH_H_
#define JOBTAIL_BASE_DISPLAY_WIDTH_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace jobtail {

// How many columns of a terminal `text` takes: two for Chinese characters and emoji, none for marks
// that combine with the letter before. `text` is what Printable() returns: UTF-8 on one line,
// without controls.
//
// Hazard: terminals disagree about emoji that are made of several characters (a family, a flag, a
// heart with U+FE0F). What is returned is the most that any of them takes, so that a line which
// fits by this never wraps; where a terminal takes less, what stands to the right of it moves left.
size_t DisplayWidth(std::string_view text);

// `text` if it takes no more than this many columns, else its beginning with "…" for the rest. It
// is cut between what people see as characters: a letter keeps its accents, an emoji its parts.
std::string FitToWidth(std::string_view text, size_t columns);

}  // namespace jobtail

#endif  // JOBTAIL_BASE_DISPLAY_WIDTH_H_
