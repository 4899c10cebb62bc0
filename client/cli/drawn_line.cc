// A row of cells, as many as there are characters.

#include "client/cli/drawn_line.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/display_width.h"
#include "client/cli/terminal_filter.h"

namespace jobtail::client::cli {
namespace {

// Beyond these, text overwrites the last ones.
constexpr size_t kMostColumns = 4096;

// The second column of a wide character has no text.
struct Cell {
  std::string text = " ";
  size_t style = 0;  // in styles_
};

class Row {
 public:
  explicit Row(const std::string& style) { SetStyle(style); }

  void Take(std::string_view shown) {
    while (!shown.empty()) shown.remove_prefix(TakeOne(shown));
  }

  std::string Text() const {
    std::string text;
    size_t style = 0;
    for (const Cell& cell : cells_) {
      if (cell.style != style) {
        if (style > 0) text.append("\x1b[m");
        text.append(styles_[cell.style]);
        style = cell.style;
      }
      text.append(cell.text);
    }
    if (style > 0) text.append("\x1b[m");
    return text;
  }

 private:
  // Returns how many bytes it has taken.
  size_t TakeOne(std::string_view shown) {
    if (shown[0] == '\x1b') return TakeControl(shown);
    if (shown[0] == '\b') {
      column_ -= std::min<size_t>(column_, 1);
      return 1;
    }
    if (shown[0] == '\r') {
      column_ = 0;
      return 1;
    }
    if (shown[0] == '\t') {
      column_ = std::min((column_ / 8 + 1) * 8, kMostColumns);
      return 1;
    }
    size_t size = 1;
    while (size < shown.size() && (static_cast<unsigned char>(shown[size]) & 0xc0) == 0x80) ++size;
    Put(shown.substr(0, size));
    return size;
  }

  size_t TakeControl(std::string_view shown) {
    const size_t end = shown.find_first_of("mK");
    if (end == std::string_view::npos) return shown.size();
    const std::string_view parameters = shown.substr(2, end - 2);
    if (shown[end] == 'm') {
      std::string style = styles_[style_];
      ApplyStyle(parameters, &style);
      SetStyle(style);
    } else {
      Erase(parameters);
    }
    return end + 1;
  }

  void SetStyle(const std::string& style) {
    style_ = style.empty() ? 0 : styles_.size();
    if (!style.empty()) styles_.push_back(style);
  }

  void Put(std::string_view character) {
    const size_t width = DisplayWidth(character);
    if (width == 0) {
      if (column_ > 0 && column_ <= cells_.size()) cells_[column_ - 1].text.append(character);
      return;
    }
    column_ = std::min(column_, kMostColumns);
    cells_.resize(std::max(cells_.size(), column_ + width));
    Separate(column_);
    Separate(column_ + width);
    cells_[column_] = {std::string(character), style_};
    for (size_t i = 1; i < width; ++i) cells_[column_ + i] = {"", style_};
    column_ += width;
  }

  void Erase(std::string_view parameters) {
    const char part = parameters.empty() ? '0' : parameters[0];
    if (part != '1') {
      const size_t from = part == '0' ? column_ : 0;
      Separate(from);
      cells_.resize(std::min(cells_.size(), from));
    } else {
      Separate(column_ + 1);
      std::fill_n(cells_.begin(), std::min(cells_.size(), column_ + 1), Cell());
    }
  }

  // No half of a wide character stays.
  void Separate(size_t column) {
    if (column == 0 || column >= cells_.size() || !cells_[column].text.empty()) return;
    cells_[column - 1].text = cells_[column].text = " ";
  }

  std::vector<std::string> styles_ = {""};
  std::vector<Cell> cells_;
  size_t style_ = 0;
  size_t column_ = 0;
};

}  // namespace

std::string DrawnLine(std::string_view shown, const std::string& style) {
  Row row(style);
  row.Take(shown);
  return row.Text();
}

}  // namespace jobtail::client::cli
