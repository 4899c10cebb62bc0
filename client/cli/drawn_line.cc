// A row of cells, as many as there are characters.

#include "client/cli/drawn_line.h"

#include <algorithm>
#include <cstddef>
#include <memory>

#include "client/cli/cells.h"
#include "client/cli/terminal_filter.h"

namespace jobtail::client::cli {
namespace {

// Beyond these, text overwrites the last ones.
constexpr size_t kMostColumns = 4096;

class Row {
 public:
  explicit Row(const std::string& style) { SetStyle(style); }

  void Take(std::string_view shown) {
    while (!shown.empty()) shown.remove_prefix(TakeOne(shown));
  }

  std::string Text() const {
    std::string text;
    cells_.AppendTo(cells_.size(), /*styled=*/true, &text);
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
      std::string style = style_ == nullptr ? "" : *style_;
      ApplyStyle(parameters, &style);
      SetStyle(style);
    } else {
      Erase(parameters);
    }
    return end + 1;
  }

  void SetStyle(const std::string& style) {
    style_ = style.empty() ? nullptr : std::make_shared<const std::string>(style);
  }

  void Put(std::string_view character) {
    const size_t width = ColumnsOf(character);
    if (width == 0) return cells_.Combine(column_, character);
    column_ = std::min(column_, kMostColumns);
    cells_.Put(column_, character, width, style_);
    column_ += width;
  }

  void Erase(std::string_view parameters) {
    const char part = parameters.empty() ? '0' : parameters[0];
    const size_t from = part == '0' ? column_ : 0;
    cells_.Erase(from, part == '1' ? column_ + 1 : std::max(from, cells_.size()));
  }

  Cells cells_;
  Cells::Style style_;
  size_t column_ = 0;
};

}  // namespace

std::string DrawnLine(std::string_view shown, const std::string& style) {
  Row row(style);
  row.Take(shown);
  return row.Text();
}

}  // namespace jobtail::client::cli
