// Cells, of which no half of a wide character stays.

#include "client/cli/cells.h"

#include <algorithm>

#include "base/display_width.h"

namespace jobtail::client::cli {
namespace {

constexpr size_t kMostInCell = 32;  // bytes

bool IsSame(const Cells::Style& a, const Cells::Style& b) {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

// The five tones of skin, which change the emoji before.
bool IsSkinTone(std::string_view character) {
  return character >= "\U0001f3fb" && character <= "\U0001f3ff";
}

}  // namespace

size_t ColumnsOf(std::string_view character) {
  if (character.size() == 1) return 1;
  return IsSkinTone(character) ? 0 : DisplayWidth(character);
}

size_t Cells::used() const {
  const auto last = std::find_if(cells_.rbegin(), cells_.rend(),
                                 [](const Cell& cell) { return cell.text != " "; });
  return static_cast<size_t>(cells_.rend() - last);
}

void Cells::Put(size_t column, std::string_view character, size_t width, const Style& style) {
  if (cells_.size() < column + width) cells_.resize(column + width);
  Separate(column);
  Separate(column + width);
  cells_[column].text.assign(character);
  cells_[column].style = style;
  for (size_t at = column + 1; at < column + width; ++at) cells_[at] = {"", style};
}

void Cells::Combine(size_t column, std::string_view mark) {
  if (column == 0 || column > cells_.size()) return;
  size_t at = column - 1;
  if (cells_[at].text.empty() && at > 0) --at;
  if (cells_[at].text.size() + mark.size() <= kMostInCell) cells_[at].text.append(mark);
}

void Cells::Erase(size_t from, size_t to) {
  Separate(from);
  Separate(to);
  if (to >= cells_.size()) return cells_.resize(std::min(cells_.size(), from));
  for (size_t at = from; at < to; ++at) cells_[at] = Cell();
}

void Cells::Insert(size_t column, size_t count, size_t columns) {
  if (column >= cells_.size()) return;
  Separate(column);
  const size_t blanks = std::min(count, columns - column);
  cells_.insert(cells_.begin() + static_cast<std::ptrdiff_t>(column), blanks, Cell());
  Separate(columns);
  cells_.resize(std::min(cells_.size(), columns));
}

void Cells::Remove(size_t column, size_t count) {
  const size_t from = std::min(column, cells_.size());
  const size_t to = std::min(column + count, cells_.size());
  Separate(from);
  Separate(to);
  cells_.erase(cells_.begin() + static_cast<std::ptrdiff_t>(from),
               cells_.begin() + static_cast<std::ptrdiff_t>(to));
}

void Cells::AppendTo(size_t columns, bool styled, std::string* text) const {
  const Style* style = nullptr;
  for (size_t at = 0; at < std::min(columns, cells_.size()); ++at) {
    const Cell& cell = cells_[at];
    if (styled && !IsSame(style == nullptr ? nullptr : *style, cell.style)) {
      if (style != nullptr && *style != nullptr) text->append("\x1b[m");
      if (cell.style != nullptr) text->append(*cell.style);
      style = &cell.style;
    }
    text->append(cell.text);
  }
  if (style != nullptr && *style != nullptr) text->append("\x1b[m");
  if (columns > cells_.size()) text->append(columns - cells_.size(), ' ');
}

// What begins or ends at this column is whole, or blank.
void Cells::Separate(size_t column) {
  if (column == 0 || column >= cells_.size() || !cells_[column].text.empty()) return;
  cells_[column - 1].text = cells_[column].text = " ";
}

}  // namespace jobtail::client::cli
