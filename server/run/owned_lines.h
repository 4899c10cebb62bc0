// Lines that one stage of a run's output hands to the next.
#ifndef JOBTAIL_SERVER_RUN_OWNED_LINES_H_
#define JOBTAIL_SERVER_RUN_OWNED_LINES_H_

#include <deque>
#include <string>
#include <vector>

#include "capture/sink.h"

namespace jobtail {

// Lines on their way, with the text that is not the caller's. Not thread-safe.
struct OwnedLines {
  std::vector<capture::Line> lines;
  std::deque<std::string> texts;

  void Add(capture::Line line) { lines.push_back(line); }
  void AddOwned(capture::Line line, std::string text) {
    line.text = texts.emplace_back(std::move(text));
    lines.push_back(line);
  }
  // The same for text that may be longer than a line may be: it is split, not through a character
  // of UTF-8.
  void AddInPieces(capture::Line line, std::string text);
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_OWNED_LINES_H_
