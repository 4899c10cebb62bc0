// How long a thread has the processor at a time, as it asks the kernel.
#ifndef JOBTAIL_BASE_THREAD_SLICE_H_
#define JOBTAIL_BASE_THREAD_SLICE_H_

namespace jobtail {

// From now on the calling thread has slices of the processor that are half as long again, as do
// threads and processes that it makes. Its share stays what it was; but a thread that is woken and
// has usual slices takes the processor from it at once, where it would wait for the end of a slice
// of some milliseconds otherwise (Linux 6.12 and later: sched_setattr(2), sched_runtime of
// SCHED_OTHER; docs/decisions/0066). Does nothing where the kernel knows no such thing, or refuses.
//
// For threads that keep a processor busy and whose end nobody awaits to the millisecond. To be
// called once in a thread's life: the kernel forgives a thread what it owes others each time it is
// asked.
//
// Hazard: who gives way while it holds a lock keeps those waiting who have come to be served.
void TakeLongSlices();

// The usual slices, for a thread that one with long slices has made.
void TakeUsualSlices();

}  // namespace jobtail

#endif  // JOBTAIL_BASE_THREAD_SLICE_H_
