// The check that the program's output comes by this library at all.
#ifndef JOBTAIL_CAPTURE_INTERPOSITION_H_
#define JOBTAIL_CAPTURE_INTERPOSITION_H_

namespace jobtail::capture {

// Why nearly nothing can be captured in this program, in a sentence; null if all is well. The first
// Scope prints it to stderr, too. It is so if the library's functions are not those that the
// dynamic linker finds first: the program hides them (-Wl,--exclude-libs, a version script with
// "local: *"), or the library was linked into a shared library, or the program is static.
// Thread-safe.
const char* InterpositionProblem();

}  // namespace jobtail::capture

#endif  // JOBTAIL_CAPTURE_INTERPOSITION_H_
