// The retry logic that all streams from the server share: when to call again, when to give up.
#ifndef JOBTAIL_CLIENT_RESUMABLE_STREAM_H_
#define JOBTAIL_CLIENT_RESUMABLE_STREAM_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/time_span.h"
#include "client/backoff.h"
#include "client/cancellation.h"

namespace jobtail::client {

// How a reader goes on where the connection to the server breaks.
struct ResumeOptions {
  // How long to go on trying when nothing is heard from the server. Zero: not at all.
  TimeSpan retry_for = absl::Minutes(5);
  // The waits between attempts.
  BackoffOptions backoff = {};
  // Called when the connection is lost, or could not be made, with the reason; once for each
  // outage. Like the next one, it is called by the reader's Next(), in its thread, and must not
  // call the reader.
  std::function<void(const absl::Status& reason)> on_connection_lost = {};
  // Called when, after that, the server has answered again. Not called where the reader gives up,
  // or the server refuses.
  std::function<void()> on_connected_again = {};
  // Called when the server, which has answered before, does not know any more who calls
  // (UNAUTHENTICATED): a token has expired, or was replaced. OK if calls prove it by something new
  // from now on; the reading then goes on, unless that is refused as well. UNAVAILABLE if this
  // cannot be said at the moment; it is called again then, with growing waits. Any other error is
  // the end, and its message is added to the server's. Null: whoever is not known is refused.
  //
  // Has a state of its own for each reader: see the makers in credentials.h and login/renewal.h.
  std::function<absl::Status()> renew_credentials = {};
  // Must outlive the reader.
  Clock* clock = Clock::System();
};

// A stream from the server that outlives its connections: where a call breaks, it waits and makes
// another.
//
//                 Start()          Read()            Finish()
//     (no call) ----------> open --------> message     |
//         ^                   |  no more               |
//         |                   v                        v
//         +---- wait ---- may another attempt succeed? ----> final status
//
// What the calls are, and where the next one has to go on, is the reader's: see Calls. What is
// here is when to make one, when to give up, and whom to tell.
//
// - What may pass (UNAVAILABLE, a reset stream, a proxy's time limit, ...) is tried again, with
//   growing waits. All else is final at once.
// - The waits begin small again, and the time until giving up starts anew, only after a call that
//   was of use: it brought something new, or lasted longer than the longest wait. A server that
//   accepts and cuts every call is not besieged.
// - A server that answers call after call and has nothing new to say, in thousands of them, is
// given
//   up as well.
// - RESOURCE_EXHAUSTED may pass if we have been heard before: the server may not have noticed yet
//   that our former call is gone, and counts it among its readers; or another call of the same
//   connection, of somebody else behind the same proxy, was too large for it, and all have ended.
// - UNAUTHENTICATED may pass by a new proof of who calls, once: another is asked for only after a
//   call that was of use.
// - Waits go by the steady clock. They end early when the channel is connected again.
//
// Owned by its reader. Next(), Note...(), Fail() and Close() are for the reader's thread, Cancel()
// for any.
class ResumableStream {
 public:
  // The calls of one method, one after the other. The stream calls it in the thread of Next() and
  // Close(): Start(), Read() until it returns false, Finish(); and so on.
  class Calls {
   public:
    virtual ~Calls() = default;

    // Starts a call that goes on where the last one ended. After an error it is cancelled and
    // finished, and the error counts as its end.
    virtual absl::Status Start(grpc::ClientContext* context) = 0;
    // Waits for a message and takes it in. False at the end of the call.
    virtual bool Read() = 0;
    // How the call has ended, and waits for that. OK is the end of all that was to be read, and
    // final; for an end that is not, an error that says so.
    virtual absl::Status Finish() = 0;

    // Asked after Finish(): whether the next call asks for the same in another way, because of what
    // the last one brought. It is made at once then, and nobody has lost a connection.
    virtual bool AsksOtherwise() { return false; }

    // What to add to the message of an error that ends the reading after `retry_for`.
    virtual std::string WhereToGoOn() const { return ""; }
  };

  // `calls` outlives the stream.
  ResumableStream(std::shared_ptr<grpc::Channel> channel, ResumeOptions options, Calls* calls);

  ResumableStream(const ResumableStream&) = delete;
  ResumableStream& operator=(const ResumableStream&) = delete;

  // Waits until Read() has taken in a message; then nothing. Otherwise the final status: OK for the
  // end, CANCELLED after Cancel(), else an error. It stays.
  std::optional<absl::Status> Next();

  // Notes that the server has answered the present call: an outage is over.
  void NoteAnswer();
  // Notes that the present call has brought something new.
  void NoteProgress() { has_progressed_ = true; }
  // Makes `error` final, if nothing is.
  void Fail(const absl::Status& error);

  // Ends the present call, if there is one. To be called before `calls` goes.
  void Close();
  // Ends the present call alone, while Calls are at work with it.
  void CancelCall() { call_->context()->TryCancel(); }

  void Cancel() { cancellation_.Cancel(); }
  // For further calls that Cancel() has to end.
  Cancellation* cancellation() { return &cancellation_; }

 private:
  absl::Status Start();
  absl::Status Finish();
  bool MayPass(const absl::Status& status) const;
  bool WasOfUse() const;
  std::optional<absl::Status> GoOnAfter(const absl::Status& reason);
  std::optional<absl::Status> WaitToRetry(const absl::Status& reason);
  void WaitForChannel(absl::Duration deadline);
  absl::Status GiveUp(const absl::Status& reason) const;

  const std::shared_ptr<grpc::Channel> channel_;
  const ResumeOptions options_;
  Calls* const calls_;
  Cancellation cancellation_;

  Backoff backoff_;
  std::unique_ptr<CancellableCall> call_;  // null between two
  absl::Duration started_;                 // when the present call did, by the steady clock
  bool answered_ = false;                  // whether the present call was
  bool answered_ever_ = false;             // whether any was
  bool has_progressed_ = false;            // in the present call
  bool outage_told_ = false;
  bool renewed_ = false;  // who calls is proved by something new, not yet used
  std::optional<absl::Duration> silent_since_;  // since when attempts fail
  int idle_calls_ = 0;  // in a row, that were answered and brought nothing new
  std::optional<absl::Status> final_;
};

}  // namespace jobtail::client

#endif  // JOBTAIL_CLIENT_RESUMABLE_STREAM_H_
