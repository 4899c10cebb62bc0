// Counts bytes by connection, by client address and in all.
#include "server/stream/byte_budget.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/connection_name.h"

namespace jobtail {
namespace {

std::string InKilobytes(size_t bytes) { return absl::StrCat(bytes >> 10, " KiB"); }

}  // namespace

ByteBudget::Reservation::Reservation(Reservation&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)),
      connection_(std::move(other.connection_)),
      bytes_(std::exchange(other.bytes_, 0)) {}

ByteBudget::Reservation& ByteBudget::Reservation::operator=(Reservation&& other) noexcept {
  if (this == &other) return *this;
  Release();
  budget_ = std::exchange(other.budget_, nullptr);
  connection_ = std::move(other.connection_);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

absl::Status ByteBudget::Reservation::Resize(size_t bytes) {
  if (!budget_ || bytes == bytes_) return absl::OkStatus();
  if (bytes > bytes_) {
    if (absl::Status taken = budget_->Take(connection_, bytes - bytes_); !taken.ok()) return taken;
  } else {
    budget_->GiveBack(connection_, bytes_ - bytes);
  }
  bytes_ = bytes;
  return absl::OkStatus();
}

void ByteBudget::Reservation::Release() {
  if (bytes_ > 0) budget_->GiveBack(connection_, std::exchange(bytes_, 0));
}

size_t ByteBudget::reserved() const {
  absl::MutexLock lock(&mutex_);
  return addresses_.total();
}

absl::Status ByteBudget::Take(const std::string& connection, size_t bytes) {
  const std::string address = ClientAddress(connection);
  absl::MutexLock lock(&mutex_);
  if (const size_t all = connections_.Of(connection) + bytes; all > limits_.connection) {
    return Beyond("this connection", all, limits_.connection);
  }
  if (const size_t all = addresses_.Of(address) + bytes; all > limits_.address) {
    return Beyond("this client's address", all, limits_.address);
  }
  if (const size_t all = addresses_.total() + bytes; all > limits_.total) {
    return Beyond("all clients", all, limits_.total);
  }
  connections_.Add(connection, bytes);
  addresses_.Add(address, bytes);
  return absl::OkStatus();
}

void ByteBudget::GiveBack(const std::string& connection, size_t bytes) {
  absl::MutexLock lock(&mutex_);
  connections_.Remove(connection, bytes);
  addresses_.Remove(ClientAddress(connection), bytes);
}

absl::Status ByteBudget::Beyond(std::string_view whose, size_t bytes, size_t limit) const {
  return absl::ResourceExhaustedError(
      absl::StrCat("the requests and unread answers of ", std::string(whose), " would take ",
                   InKilobytes(bytes), " of the server's memory, and may take ", InKilobytes(limit),
                   "; read what was asked for, and try again"));
}

}  // namespace jobtail
