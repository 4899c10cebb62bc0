// The API's calls as HTTP has them.
#ifndef JOBTAIL_SERVER_HTTP_API_H_
#define JOBTAIL_SERVER_HTTP_API_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/access/access_control.h"
#include "server/access/principal.h"
#include "server/http/cookie.h"
#include "server/http/query.h"
#include "server/http/router.h"
#include "server/http/stream_form.h"
#include "server/run/engine.h"
#include "server/stream/feed.h"
#include "server/tls/peer_identity.h"

namespace jobtail::http {

// A request as far as its meaning goes.
struct Request {
  std::string method;  // "GET"
  std::string path;    // as it came, encoded
  std::string query;   // as it came, without the "?"
  std::string accept;  // the header, as the next
  std::string last_event_id;
  std::string body;
  PeerIdentity peer;          // as the connection proves it
  std::string address;        // of the client
  std::string authorization;  // the header, as the next
  std::string traceparent;
  access::HeaderValues headers;  // all of them
  std::string session;           // of the cookie; empty where a page of another site may have asked
  std::string login;             // for a sign-in: of the cookie of who signs in with an issuer
  std::string home;              // the same: the console's address as browsers have it, and a "/"
  CookieScope cookie;            // that a session has
  access::Caller caller;         // by Admit: whoever asks nothing is the program itself
  // Whether there is nobody left to be answered; null: there is. Called by the thread of the call.
  std::function<bool()> is_client_gone;
};

// An answer: a body or a stream.
struct Reply {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::unique_ptr<Feed> feed;            // what is streamed; null for an answer in one piece
  std::optional<StreamForm> form;        // and how it looks
  std::string run;                       // the run that the stream is about
  std::string allow;                     // the methods that there are, for one that there is not
  std::vector<std::string> set_cookies;  // headers
  std::string location;                  // the header; empty: none
  absl::Duration retry_after;            // zero: the answer does not say
};

// What tells who asks. Lives as long as the request.
access::Credentials CredentialsOf(const Request& request);

// An error as an answer. `status` 0 is the one that goes with the code.
Reply ErrorReply(const absl::Status& error, unsigned status = 0);

// The API in HTTP: translates requests into calls of the engine and does nothing else. May wait for
// the store, so it has no business on an event loop. Thread-safe. The engine outlives it; it
// outlives the forms that it has made.
class Api {
 public:
  explicit Api(Engine* engine) : engine_(engine) {}

  // Who asks: the engine's access control says. May wait for the disk.
  absl::StatusOr<access::Caller> Admit(const Request& request);
  // What notes that a page of another site, or under another name, has asked; null for nothing.
  // Does not wait, as against what it returns.
  std::function<void()> NoteForeign(const Request& request, const absl::Status& why);
  // A place for its body among the requests of who asks, as AccessControl::HoldRequest. Does not
  // wait.
  absl::StatusOr<access::Quotas::Place> HoldRequest(const Request& request);
  // The same once it is known who asks; may wait for the disk.
  absl::Status HoldRequest(const access::Caller& caller, size_t bytes,
                           access::Quotas::Place* place);
  // What notes that it is beyond its place, as NoteForeign.
  std::function<void()> NoteRequest(const Request& request, const absl::Status& why);
  // A place for its connection; and noting that there is none, which may wait for the disk.
  absl::StatusOr<access::Quotas::Place> HoldConnection(const access::Caller& caller);
  void NoteConnection(const access::Caller& caller, const absl::Status& why);
  // Whether anybody is asked who they are, and whether that goes for probes.
  bool asks() const { return engine_->access() != nullptr; }
  bool asks_probes() const { return asks() && engine_->access()->probes_need_identity(); }

  // Answers a request to /session, where there is nobody yet: POST {"token": ...} begins a session
  // and sets its cookie, DELETE ends it.
  Reply Session(const Request& request);

  // Answers a request to /v1/....
  Reply Handle(const Request& request);

  // Answers /stream/{job}?name=value... in pages that need no script: to GET with a form, whose
  // POST starts a run and follows it. A POST that is not known to be such a form's starts nothing
  // either: it is answered with the form.
  Reply RunInPage(const Request& request, bool from_own_page);

 private:
  absl::StatusOr<Reply> Dispatch(const Match& match, const Request& request);
  absl::StatusOr<Reply> TailLog(const Match& match, const Request& request);
  absl::StatusOr<Reply> RunJob(const Match& match, const Request& request);
  absl::StatusOr<Reply> WatchRuns(const Match& match, const Request& request);
  absl::StatusOr<Reply> DeleteRun(const Match& match, const Request& request);
  absl::StatusOr<Reply> StartInPage(const Request& request, bool from_own_page);
  absl::StatusOr<Reply> AskInPage(const Request& request, const std::string& job,
                                  const Query& parameters);
  absl::StatusOr<Reply> Follow(const Request& request, const v1::RunJobRequest& run, Format format);

  Engine* const engine_;
  RenderingCache cache_;
};

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_API_H_
