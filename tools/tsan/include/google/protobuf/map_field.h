// Protobuf's header of map fields as its library was compiled, for the tsan preset.
//
// With ThreadSanitizer the header adds two counters to each map field. Debian's library knows
// nothing of them: it takes what lies behind for something else, wherever it looks at a message
// that code of ours has made. What the header includes comes first, so that nothing else is read as
// if there were no ThreadSanitizer.
#ifndef JOBTAIL_TOOLS_TSAN_INCLUDE_GOOGLE_PROTOBUF_MAP_FIELD_H_
#define JOBTAIL_TOOLS_TSAN_INCLUDE_GOOGLE_PROTOBUF_MAP_FIELD_H_

#include <google/protobuf/arena.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/generated_message_reflection.h>
#include <google/protobuf/generated_message_util.h>
#include <google/protobuf/map_entry.h>
#include <google/protobuf/map_field_lite.h>
#include <google/protobuf/map_type_handler.h>
#include <google/protobuf/message.h>
#include <google/protobuf/port.h>
#include <google/protobuf/repeated_field.h>
#include <google/protobuf/stubs/mutex.h>
#include <google/protobuf/unknown_field_set.h>

#include <atomic>
#include <functional>

#pragma push_macro("__SANITIZE_THREAD__")
#undef __SANITIZE_THREAD__
#include_next <google/protobuf/map_field.h>
#pragma pop_macro("__SANITIZE_THREAD__")

#endif  // JOBTAIL_TOOLS_TSAN_INCLUDE_GOOGLE_PROTOBUF_MAP_FIELD_H_
