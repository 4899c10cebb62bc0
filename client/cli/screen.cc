// What each control function does to rows and cursor, and when a row is over.

#include "client/cli/screen.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/utf8.h"
#include "client/cli/terminal_filter.h"

namespace jobtail::client::cli {
namespace {

constexpr int kLast = Screen::kRows - 1;
constexpr int kColumnCount = static_cast<int>(Screen::kColumns);
constexpr int kMostCount = 9999;
constexpr size_t kMostNumbers = 16;

// The numbers of a control sequence, at least one; 0 where there is none.
std::vector<int> NumbersOf(std::string_view parameters) {
  std::vector<int> numbers = {0};
  for (const char c : parameters) {
    if (c == ';' && numbers.size() == kMostNumbers) break;
    if (c == ';') numbers.push_back(0);
    if (c < '0' || c > '9') continue;
    numbers.back() = std::min(10 * numbers.back() + (c - '0'), kMostCount);
  }
  return numbers;
}

bool IsSame(const ScreenRow& a, const ScreenRow& b) {
  return a.text == b.text && a.goes_on == b.goes_on;
}

}  // namespace

Screen::Screen(bool styled) : styled_(styled), rows_(OthersRows()) {}

// Those of a screen that the job has not drawn on.
std::vector<Screen::Row> Screen::OthersRows() {
  std::vector<Row> rows(kRows);
  for (Row& row : rows) row.is_jobs = false;
  return rows;
}

void Screen::Write(const Record& record, std::string_view bytes, std::vector<ScreenRow>* rows) {
  record_ = record;
  out_ = rows;
  Read(bytes);
}

// Lines as wholes, from the top on: what is handed out stays in order.
void Screen::Tick(std::vector<ScreenRow>* rows) {
  ++tick_;
  out_ = rows;
  if (main_) return;
  const bool moves = tick_ - moved_up_ < kStill;
  for (int row = 0; row < row_; ++row) {
    const int first = row;
    while (row < row_ && rows_[row].wraps > 0) ++row;
    if (row == row_ || (moves && row >= highest_)) return;
    const auto is_settled = [this](const Row& r) { return tick_ - r.drawn >= kSettled; };
    if (!std::all_of(&rows_[first], &rows_[row] + 1, is_settled)) return;
    for (int at = first; at <= row; ++at) HandOut(&rows_[at]);
  }
}

void Screen::Finish(std::vector<ScreenRow>* rows) {
  out_ = rows;
  ShowAlternate(false);
  Leave(0, Used());
  EndLine();
  rows_ = OthersRows();
  SetRegion(0, kLast);
  row_ = kLast;
  column_ = 0;
  highest_ = kRows;
}

int64_t Screen::first_held() const {
  int64_t first = 0;
  for (const Row& row : main_ ? main_->rows : rows_) {
    if (row.first == 0 || (row.shown && IsSame(*row.shown, Draw(row)))) continue;
    first = first == 0 ? row.first : std::min(first, row.first);
  }
  return first;
}

// --- what is read

void Screen::OnText(std::string_view text) {
  while (!text.empty()) {
    const size_t bytes = static_cast<signed char>(text[0]) >= 0 ? 1 : FirstCharacter(text).bytes;
    Print(text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
}

void Screen::OnControl(char control) {
  last_character_.clear();
  switch (control) {
    case '\r':
      return MoveTo(row_, 0);
    case '\b':
      return MoveTo(row_, column_ - 1);
    case '\t':
      return MoveTo(row_, (column_ / 8 + 1) * 8);
    case '\n':
      return NewLine();
    default:
      return LineFeed();
  }
}

void Screen::OnEscape(char final) {
  last_character_.clear();
  switch (final) {
    case '7':
      saved_ = Save();
      return;
    case '8':
      return Restore(saved_);
    case 'D':
      return LineFeed();
    case 'E':
      return NewLine();
    case 'M':
      return ReverseLineFeed();
    case 'c':
      return Reset();
    default:
      return;
  }
}

void Screen::OnSequence(std::string_view parameters, char final) {
  const std::string last = std::exchange(last_character_, "");
  if (final == 'm') {
    if (!styled_ || (!parameters.empty() && parameters[0] == '?')) return;
    ApplyStyle(parameters, &pen_);
    style_ = pen_.empty() ? nullptr : std::make_shared<const std::string>(pen_);
    return;
  }
  const std::vector<int> numbers = NumbersOf(parameters);
  const int second = numbers.size() > 1 ? numbers[1] : 0;
  if (!parameters.empty() && parameters[0] == '?') {
    if (final == 'h' || final == 'l') SetModes(numbers, final == 'h');
    return;
  }
  if (final == 'r')
    return SetRegion(std::max(numbers[0], 1) - 1, (second > 0 ? second : kRows) - 1);
  if (final == 'h' || final == 'l') {
    if (numbers[0] == 4) inserts_ = final == 'h';
    return;
  }
  const int count = std::max(numbers[0], 1);
  if (final == 'b') return Repeat(last, count);
  if (const auto target = Target(final, count, std::max(second, 1))) {
    return MoveTo(target->row, target->column);
  }
  Change(final, numbers[0], count);
}

// Where a sequence that moves the cursor takes it.
std::optional<Screen::Position> Screen::Target(char final, int count, int second) const {
  switch (final) {
    case 'A':
      return Position{Up(count), column_};
    case 'B':
    case 'e':
      return Position{Down(count), column_};
    case 'C':
    case 'a':
      return Position{row_, column_ + count};
    case 'D':
      return Position{row_, column_ - count};
    case 'E':
      return Position{Down(count), 0};
    case 'F':
      return Position{Up(count), 0};
    case 'G':
    case '`':
      return Position{row_, count - 1};
    case 'H':
    case 'f':
      return Position{count - 1, second - 1};
    case 'd':
      return Position{count - 1, column_};
    default:
      return std::nullopt;
  }
}

void Screen::Change(char final, int first, int count) {
  const size_t column = Place();
  const auto columns = static_cast<size_t>(count);
  switch (final) {
    case 's':
      saved_ = Save();
      return;
    case 'u':
      return Restore(saved_);
    case 'J':
      return EraseScreen(first);
    case 'K':
      return EraseRow(first);
    case 'L':
      if (IsInRegion()) ScrollDown(row_, count);
      return;
    case 'M':
      if (IsInRegion()) ScrollUp(row_, count);
      return;
    case 'S':
      Leave(top_, std::min(count, bottom_ - top_ + 1));
      return ScrollUp(top_, count);
    case 'T':
      return ScrollDown(top_, count);
    case '@':
      return Here().cells.Insert(column, columns, kColumns);
    case 'P':
      return Here().cells.Remove(column, columns);
    case 'X':
      return Here().cells.Erase(column, std::min(column + columns, kColumns));
    default:
      return;
  }
}

// As often as there is room for, and no more.
void Screen::Repeat(const std::string& character, int count) {
  if (character.empty() || full_) return;
  for (int left = std::min(count, kColumnCount - column_); left > 0; --left) Print(character);
}

Screen::State Screen::Save() const { return {{row_, column_}, pen_, style_, character_sets()}; }

void Screen::Restore(const State& state) {
  pen_ = state.pen;
  style_ = state.style;
  set_character_sets(state.sets);
  MoveTo(state.cursor.row, state.cursor.column);
}

void Screen::SetModes(const std::vector<int>& modes, bool on) {
  for (const int mode : modes) {
    if (mode == 7) wraps_ = on;
    if (mode == 47 || mode == 1047 || mode == 1049) ShowAlternate(on);
  }
}

// --- the cursor

void Screen::MoveTo(int row, int column) {
  const int to = std::clamp(row, 0, kLast);
  if (to < row_) NoteMoveUp(to);
  row_ = to;
  column_ = std::clamp(column, 0, kColumnCount - 1);
  full_ = false;
}

void Screen::NoteMoveUp(int row) {
  moved_up_ = tick_;
  highest_ = std::min(highest_, row);
}

int Screen::Up(int count) const { return std::max(row_ - count, row_ >= top_ ? top_ : 0); }
int Screen::Down(int count) const {
  return std::min(row_ + count, row_ <= bottom_ ? bottom_ : kLast);
}

// --- text

void Screen::Print(std::string_view character) {
  const size_t width = ColumnsOf(character);
  if (width == 0) {
    return rows_[row_].cells.Combine(Place(), character);
  }
  const int columns = static_cast<int>(width);
  if (wraps_ && (full_ || column_ + columns > kColumnCount)) {
    rows_[row_].wraps = Place();
    LineFeed();
    column_ = 0;
  }
  full_ = false;
  column_ = std::min(column_, kColumnCount - columns);
  Cells& cells = Here().cells;
  if (inserts_) cells.Insert(static_cast<size_t>(column_), width, kColumns);
  cells.Put(static_cast<size_t>(column_), character, width, style_);
  last_character_ = character;
  column_ += columns;
  if (column_ < kColumnCount) return;
  column_ = kColumnCount - 1;
  full_ = true;
}

void Screen::NewLine() {
  Here().wraps = 0;
  LineFeed();
  column_ = 0;
}

void Screen::LineFeed() {
  full_ = false;
  if (row_ != bottom_) return MoveTo(row_ + 1, column_);
  Leave(top_, 1);
  if (top_ > 0) Unlink(top_ - 1);
  std::rotate(&rows_[top_], &rows_[top_] + 1, &rows_[bottom_] + 1);
  rows_[bottom_] = Row();
  if (highest_ < kRows) highest_ = std::max(highest_ - 1, 0);
}

void Screen::ReverseLineFeed() {
  full_ = false;
  if (row_ == top_) return ScrollDown(top_, 1);
  MoveTo(row_ - 1, column_);
}

void Screen::ScrollUp(int from, int count) {
  const int by = std::min(count, bottom_ - from + 1);
  NoteMoveUp(from);
  if (from > 0) Unlink(from - 1);
  Unlink(bottom_);
  std::rotate(&rows_[from], &rows_[from] + by, &rows_[bottom_] + 1);
  for (int at = bottom_ - by + 1; at <= bottom_; ++at) rows_[at] = Row();
}

void Screen::ScrollDown(int from, int count) {
  const int by = std::min(count, bottom_ - from + 1);
  NoteMoveUp(from);
  if (from > 0) Unlink(from - 1);
  std::rotate(&rows_[from], &rows_[bottom_] + 1 - by, &rows_[bottom_] + 1);
  for (int at = from; at < from + by; ++at) rows_[at] = Row();
  Unlink(bottom_);
}

// What comes below the row is not the rest of its line.
void Screen::Unlink(int row) { rows_[row].wraps = 0; }

void Screen::EraseRow(int part) {
  if (part > 2) return;
  const size_t from = part == 0 ? Place() : 0;
  const size_t to = part == 1 ? std::min(Place() + 1, kColumns) : kColumns;
  Row& row = Here();
  row.cells.Erase(from, to);
  if (to == kColumns) row.wraps = 0;
}

void Screen::EraseScreen(int part) {
  if (part > 2) return;
  const bool is_all = part == 2 || (part == 0 && row_ == 0 && column_ == 0);
  if (is_all && !main_) return Clear();
  if (part != 2) EraseRow(part);
  const int from = part == 0 ? row_ + 1 : 0;
  const int to = part == 1 ? row_ : kRows;
  for (int at = from; at < to; ++at) {
    Touch(at).cells = Cells();
    Unlink(at);
  }
}

// What was on the screen is kept above it, as is all that leaves a scrolling region: it is a log.
// tmux does the same.
void Screen::Clear() {
  int end = kRows;
  while (end > 0 && rows_[end - 1].cells.used() == 0) --end;
  Leave(0, end);
  NoteMoveUp(0);
  rows_.assign(kRows, Row());
}

void Screen::SetRegion(int top, int bottom) {
  const int last = std::min(bottom, kLast);
  if (top >= last) return;
  top_ = top;
  bottom_ = last;
  MoveTo(0, 0);
}

void Screen::ShowAlternate(bool on) {
  if (on == main_.has_value()) return;
  if (on) {
    main_ = Main{std::exchange(rows_, std::vector<Row>(kRows)), Save()};
    return;
  }
  Main main = *std::exchange(main_, std::nullopt);
  rows_ = std::move(main.rows);
  Restore(main.state);
}

void Screen::Reset() {
  ShowAlternate(false);
  saved_ = State();
  Restore(saved_);
  wraps_ = true;
  inserts_ = false;
  SetRegion(0, kLast);
  Clear();
}

// --- rows

Screen::Row& Screen::Touch(int row) {
  for (int below = row; below < kRows && !rows_[below].is_jobs; ++below) {
    rows_[below].is_jobs = true;
  }
  Row& touched = rows_[row];
  touched.drawn = tick_;
  if (touched.last == record_.sequence) return touched;
  if (touched.first == 0) touched.first = record_.sequence;
  touched.last = record_.sequence;
  touched.time = record_.time;
  return touched;
}

// How many rows there are down to the last that has text, or to the one above the cursor.
int Screen::Used() const {
  int end = kRows;
  while (end > row_ && rows_[end - 1].cells.used() == 0) --end;
  return end;
}

ScreenRow Screen::Draw(const Row& row) const {
  ScreenRow drawn;
  drawn.goes_on = row.wraps > 0;
  drawn.time = row.time;
  row.cells.AppendTo(drawn.goes_on ? row.wraps : row.cells.used(), styled_, &drawn.text);
  return drawn;
}

// Of the alternate screen nothing is kept.
void Screen::Leave(int from, int count) {
  if (main_) return;
  for (int at = from; at < from + count; ++at) HandOut(&rows_[at]);
}

void Screen::HandOut(Row* row) {
  if (!row->is_jobs) return;
  ScreenRow drawn = Draw(*row);
  if (row->shown && IsSame(*row->shown, drawn)) return EndLine();
  row->shown = drawn;
  goes_on_ = drawn.goes_on;
  out_->push_back(std::move(drawn));
}

// The rest of a line is not where it was: a row without text in its place.
void Screen::EndLine() {
  if (std::exchange(goes_on_, false)) out_->emplace_back();
}

}  // namespace jobtail::client::cli
