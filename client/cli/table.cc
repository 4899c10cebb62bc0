// Columns lined up for a terminal.

#include "client/cli/table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/display_width.h"
#include "base/quoting.h"

namespace jobtail::client::cli {
namespace {

constexpr size_t kSpace = 2;  // between two columns
constexpr char kEllipsis[] = "…";

// A row's last cell that is not empty, plus one.
size_t CellsOf(const std::vector<Table::Cell>& row) {
  size_t count = row.size();
  while (count > 0 && row[count - 1].text.empty()) --count;
  return count;
}

}  // namespace

void Table::AddRow(std::vector<Cell> cells) {
  for (Cell& cell : cells) cell.text = Printable(cell.text);
  rows_.push_back(std::move(cells));
}

void Table::DropColumn(size_t column) {
  for (auto& row : rows_) {
    if (column < row.size()) row.erase(row.begin() + static_cast<std::ptrdiff_t>(column));
  }
}

std::vector<size_t> Table::Widths() const {
  std::vector<size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], DisplayWidth(row[i].text));
  }
  return widths;
}

size_t Table::Columns() const {
  const std::vector<size_t> widths = Widths();
  size_t columns = 0;
  for (const auto& row : rows_) {
    size_t width = 0;
    const size_t count = CellsOf(row);
    for (size_t i = 0; i < count; ++i) {
      width += i + 1 < count ? widths[i] + kSpace : DisplayWidth(row[i].text);
    }
    columns = std::max(columns, width);
  }
  return columns;
}

std::string Table::Render(const TableLook& look) const {
  const std::vector<size_t> widths = Widths();
  std::string text;
  for (const auto& row : rows_) {
    text.append(look.indent);
    RenderRow(row, widths, look, &text);
    text.push_back('\n');
  }
  return text;
}

// Where a row is cut, the last thing to be seen of it is an ellipsis.
void Table::RenderRow(const std::vector<Cell>& row, const std::vector<size_t>& widths,
                      const TableLook& look, std::string* text) {
  size_t room = look.columns - std::min(look.columns, DisplayWidth(look.indent));
  const size_t count = CellsOf(row);
  for (size_t i = 0; i < count; ++i) {
    const bool is_last = i + 1 == count;
    const size_t width = DisplayWidth(row[i].text);
    const bool is_cut = is_last ? width > room : widths[i] + kSpace >= room;
    const bool has_room_for_mark = is_cut && width < room;
    const std::string cell =
        FitToWidth(row[i].text, is_cut && !is_last && width == room ? room - 1 : room);
    text->append(look.color ? Painted(cell, row[i].paint) : cell);
    if (has_room_for_mark) text->append(room - width - 1, ' ').append(kEllipsis);
    if (is_cut || is_last) return;
    text->append(widths[i] + kSpace - width, ' ');
    room -= widths[i] + kSpace;
  }
}

}  // namespace jobtail::client::cli
