// One row of a terminal's cells, each with its character and look.
#ifndef JOBTAIL_CLIENT_CLI_CELLS_H_
#define JOBTAIL_CLIENT_CLI_CELLS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace jobtail::client::cli {

// A row of cells, as many as there are characters; those beyond are blank. It has no width of its
// own: the owner keeps columns within bounds.
class Cells {
 public:
  // A string of SGR sequences; null for the usual look.
  using Style = std::shared_ptr<const std::string>;

  size_t size() const { return cells_.size(); }
  // The same without what is blank at the end.
  size_t used() const;

  // Puts a character of one or two columns into the place of what is there.
  void Put(size_t column, std::string_view character, size_t width, const Style& style);
  // Adds a mark to the character before `column`, if there is one.
  void Combine(size_t column, std::string_view mark);
  // [from, to) becomes blank.
  void Erase(size_t from, size_t to);
  // Moves what begins at `column` to the right; what goes beyond `columns` is gone.
  void Insert(size_t column, size_t count, size_t columns);
  void Remove(size_t column, size_t count);

  // Appends the text of the first `columns`. With `styled`, the looks are in it, and the usual one
  // is what it ends in.
  void AppendTo(size_t columns, bool styled, std::string* text) const;

 private:
  // The second column of a wide character has no text.
  struct Cell {
    std::string text = " ";
    Style style;
  };

  void Separate(size_t column);

  std::vector<Cell> cells_;
};

// How many columns a character takes: none for what combines with the one before.
size_t ColumnsOf(std::string_view character);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_CELLS_H_
