// The characters that make text look like other text, and those that move a terminal's cursor.
#ifndef JOBTAIL_BASE_DECEPTIVE_H_
#define JOBTAIL_BASE_DECEPTIVE_H_

namespace jobtail {

// Whether a character is a control: C0, DEL or C1. On a terminal it moves, clears or colours.
constexpr bool IsControl(char32_t code) { return code < 0x20 || (code >= 0x7f && code < 0xa0); }

// Whether a character, without being a control, makes text look like other text: it turns the
// direction of writing, has no width, looks like a blank though it is a letter, or ends a line.
// Where names and messages of others are shown, to people who decide by them, it is to be shown as
// what it is.
//
// There is one table of them, and one of the scripts that U+200C belongs to, for the command, for
// the server's HTML and for the console page (whose own, web/src/text/visible.ts, is tested against
// this one). The joiner U+200D and variation selectors are not among them: emoji are made with
// them.
bool IsDeceptive(char32_t code);

// The same of a character between two others; 0: there is none. The non-joiner U+200C is a part of
// words in the scripts that are written with it, as in Persian, and does not deceive there.
bool IsDeceptive(char32_t code, char32_t before, char32_t after);

}  // namespace jobtail

#endif  // JOBTAIL_BASE_DECEPTIVE_H_
