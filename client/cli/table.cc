#include "client/cli/table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "client/cli/text.h"

namespace jobtail::client::cli {
namespace {

constexpr size_t kSpace = 2;  // between two columns

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
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i].text));
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
      width += i + 1 < count ? widths[i] + kSpace : Width(row[i].text);
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
    size_t used = Width(look.indent);
    const size_t count = CellsOf(row);
    for (size_t i = 0; i < count && used < look.columns; ++i) {
      const std::string cell = Fitted(row[i].text, look.columns - used);
      text.append(look.color ? Painted(cell, row[i].paint) : cell);
      used += Width(cell);
      if (i + 1 == count) break;
      const size_t fill = std::min(widths[i] + kSpace - Width(row[i].text),
                                   look.columns - std::min(used, look.columns));
      text.append(fill, ' ');
      used += fill;
    }
    text.push_back('\n');
  }
  return text;
}

}  // namespace jobtail::client::cli
