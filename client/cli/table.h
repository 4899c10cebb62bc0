// The layout of text in columns, by display width.
#ifndef JOBTAIL_CLIENT_CLI_TABLE_H_
#define JOBTAIL_CLIENT_CLI_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "client/cli/style.h"

namespace jobtail::client::cli {

// How a table is to be drawn.
struct TableLook {
  std::string indent = {};
  bool color = false;
  size_t columns = SIZE_MAX;  // longer lines are cut
};

// Lines up cells in columns, each as wide as its widest cell, with two spaces between and none at
// the end of a line.
class Table {
 public:
  struct Cell {
    Cell(std::string cell_text, Paint cell_paint = Paint::kPlain)  // NOLINT: cells are texts
        : text(std::move(cell_text)), paint(cell_paint) {}
    Cell(const char* cell_text) : text(cell_text) {}  // NOLINT: cells are texts

    std::string text;
    Paint paint = Paint::kPlain;
  };

  // Rows may differ in length. Cells are made harmless by Printable().
  void AddRow(std::vector<Cell> cells);

  void DropColumn(size_t column);

  std::string Render(const TableLook& look = {}) const;

  // The width of the widest line, without indent.
  size_t Columns() const;

 private:
  std::vector<size_t> Widths() const;
  static void RenderRow(const std::vector<Cell>& row, const std::vector<size_t>& widths,
                        const TableLook& look, std::string* text);

  std::vector<std::vector<Cell>> rows_;
};

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_TABLE_H_
