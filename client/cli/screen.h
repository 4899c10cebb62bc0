// The screen of a terminal that a job draws on, and which of its rows can no longer change.
#ifndef JOBTAIL_CLIENT_CLI_SCREEN_H_
#define JOBTAIL_CLIENT_CLI_SCREEN_H_

#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/cells.h"
#include "client/cli/escape_reader.h"

namespace jobtail::client::cli {

// A row of a screen that is handed out.
struct ScreenRow {
  std::string text;
  // Whether the text goes on in the next row that is handed out: both are parts of one line.
  bool goes_on = false;
  // When it was last drawn on.
  google::protobuf::Timestamp time;
};

// A screen of 80 columns and 24 rows, as tmux and xterm have it and as `tty: true` gives it to
// jobs; the console page's web/src/text/screen.ts is the same. Of what a terminal obeys it follows
// all that changes text, place or look of cells; nothing else.
//
// The cursor begins in the last row, as where much was printed before: what is above is nobody's.
// Each row is handed out once, in order, when it leaves the screen: at its top, out of a scrolling
// region, or as all is cleared; at the latest by Finish(). What is on the alternate screen, which
// editors and pagers use, is not. Tick() hands out earlier what nothing seems to draw on any more;
// if something does all the same, such a row comes again, as it is then.
//
// Memory is bounded, a few megabytes at worst, whatever is written. For one thread.
class Screen : private EscapeReader {
 public:
  static constexpr size_t kColumns = 80;
  static constexpr int kRows = 24;
  // In calls of Tick(): how long a row must have stood before it is handed out early and, where the
  // job has taken the cursor up to it or above it, how long the cursor must not have gone up.
  static constexpr int64_t kSettled = 4;
  static constexpr int64_t kStill = 20;

  // The record whose bytes are written.
  struct Record {
    int64_t sequence = 0;
    google::protobuf::Timestamp time;
  };

  // `styled`: whether the rows' texts have their looks as SGR sequences.
  explicit Screen(bool styled);

  // Draws bytes of a record. Rows that leave the screen are appended to `*rows`.
  void Write(const Record& record, std::string_view bytes, std::vector<ScreenRow>* rows);

  // A while without anything to draw has passed.
  void Tick(std::vector<ScreenRow>* rows);

  // Hands out all rows that are left; the screen is as at the beginning then.
  void Finish(std::vector<ScreenRow>* rows);

  // The first record that a row which has not been handed out has text of; 0 if there is none.
  int64_t first_held() const;

 private:
  struct Row {
    Cells cells;
    size_t wraps = 0;     // how many columns its text has, if it goes on in the next row; else 0
    bool is_jobs = true;  // and not of whoever printed before
    int64_t first = 0;    // record that has drawn on it, since it was empty
    int64_t last = 0;     // the last record that has
    int64_t drawn = 0;    // the tick in which it was drawn on last
    google::protobuf::Timestamp time;  // of that record
    std::optional<ScreenRow> shown;    // as it was handed out
  };
  struct Position {
    int row = 0;
    int column = 0;
  };
  // What a job can save and come back to.
  struct State {
    Position cursor;
    std::string pen;
    Cells::Style style;
    CharacterSets sets;
  };
  // What the alternate screen hides.
  struct Main {
    std::vector<Row> rows;
    State state;
  };

  void OnText(std::string_view text) override;
  void OnControl(char control) override;
  void OnEscape(char final) override;
  void OnSequence(std::string_view parameters, char final) override;
  std::optional<Position> Target(char final, int count, int second) const;
  void Change(char final, int first, int count);
  void Repeat(const std::string& character, int count);
  State Save() const;
  void Restore(const State& state);
  void SetModes(const std::vector<int>& modes, bool on);

  void MoveTo(int row, int column);
  void NoteMoveUp(int row);
  // Where the next character comes: beyond the last column where that has just been written.
  size_t Place() const { return full_ ? kColumns : static_cast<size_t>(column_); }
  bool IsInRegion() const { return row_ >= top_ && row_ <= bottom_; }
  int Up(int count) const;
  int Down(int count) const;

  void Print(std::string_view character);
  void NewLine();
  void LineFeed();
  void ReverseLineFeed();
  void ScrollUp(int from, int count);
  void ScrollDown(int from, int count);
  void Unlink(int row);
  void EraseRow(int part);
  void EraseScreen(int part);
  void Clear();
  void SetRegion(int top, int bottom);
  void ShowAlternate(bool on);
  void Reset();

  Row& Touch(int row);
  Row& Here() { return Touch(row_); }
  int Used() const;
  ScreenRow Draw(const Row& row) const;
  void Leave(int from, int count);
  void HandOut(Row* row);
  void EndLine();

  static std::vector<Row> OthersRows();

  const bool styled_;
  std::vector<Row> rows_;
  std::optional<Main> main_;  // while the alternate screen is shown
  int row_ = kRows - 1;       // the cursor
  int column_ = 0;
  bool full_ = false;  // the last column is written, and the next character wraps
  State saved_;
  int top_ = 0;  // of the scrolling region
  int bottom_ = kRows - 1;
  bool wraps_ = true;
  bool inserts_ = false;
  std::string last_character_;  // if nothing has come since
  std::string pen_;             // SGR sequences
  Cells::Style style_;

  Record record_;                          // that is drawn
  std::vector<ScreenRow>* out_ = nullptr;  // during the calls that hand out rows
  bool goes_on_ = false;                   // whether the row handed out last does
  int64_t tick_ = 0;
  int64_t moved_up_ = 0;  // the last tick in which the cursor went up
  int highest_ = kRows;   // the uppermost row that it went to
};

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_SCREEN_H_
