#ifndef JOBTAIL_SERVER_LOG_STORED_VALUE_H_
#define JOBTAIL_SERVER_LOG_STORED_VALUE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace jobtail {

// The bytes of a batch as a value of the database: as they are or, where that is smaller,
// compressed with LZ4. docs/log-format.md describes them, docs/decisions/0022 says why.

// The value for `bytes`: `bytes` itself, or something in `*buffer`.
std::string_view EncodeValue(std::string_view bytes, std::string* buffer);

// Whether DecodeValue gives a part of `value` itself, without a copy.
bool IsPlain(std::string_view value);

// For a plain value: the batch's bytes, a part of it.
std::string_view PlainBytes(std::string_view value);

// For any other: the batch's bytes. DATA_LOSS if the value is none that EncodeValue makes.
absl::StatusOr<std::string> Decompress(std::string_view value);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_STORED_VALUE_H_
