// A stream's end in HTTP: the body of an answer.
#ifndef JOBTAIL_SERVER_HTTP_STREAM_BODY_H_
#define JOBTAIL_SERVER_HTTP_STREAM_BODY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/http/asio.h"
#include "server/http/client_socket.h"
#include "server/http/client_watch.h"
#include "server/http/stream_form.h"
#include "server/stream/feed.h"
#include "server/stream/stream.h"
#include "server/stream/stream_set.h"
#include "server/stream/stream_writer.h"

namespace jobtail::http {

// What the bodies of streams share. Outlives them.
struct StreamServices {
  StreamSet* set;
  std::shared_ptr<net::io_context> loop;
};

// Sends what a Stream reads as the body of an answer, in chunks, and watches whether the client is
// still there. Lives on the event loop; its connection holds it until Run has returned, and each
// operation on the socket until that is over.
class StreamBody final : public StreamWriter, public std::enable_shared_from_this<StreamBody> {
 public:
  // Not `chunked`: the end of the connection is the end of the body.
  // `client` is the connection whose turn it is in the StorePool.
  StreamBody(std::shared_ptr<ClientSocket> socket, StreamForm form, bool chunked,
             const StreamServices& services, const std::string& client);

  // Sends it all; the header has gone out. True if the body was completed and the connection can
  // be used for more.
  net::awaitable<bool> Run(std::unique_ptr<Feed> feed);

 private:
  size_t Begin() override;
  void Prepare(std::vector<Slice>* slices) override { form_.Render(slices); }
  absl::Status Take(std::vector<Slice>* slices) override;
  size_t SendNext() override;
  size_t SendHeartbeat(const Slice& heartbeat) override;
  void Finish(const absl::Status& status, std::optional<int64_t> resume_point) override;

  size_t Send(std::string text);
  std::vector<net::const_buffer> Chunk();
  void OnClientGone();
  void Done(bool complete);

  const std::shared_ptr<ClientSocket> socket_;
  const StreamForm form_;
  const bool chunked_;
  const std::shared_ptr<net::io_context> loop_;  // outlives done_
  StreamSet* const set_;
  const std::shared_ptr<Stream> stream_;
  const std::shared_ptr<ClientWatch> watch_;
  std::vector<Slice> pieces_;   // to be sent next
  std::vector<Slice> sending_;  // and those that are being sent, as one chunk
  std::string chunk_size_;
  bool gone_ = false;      // the client
  bool finished_ = false;  // nothing is to be done with the socket any more
  bool complete_ = false;
  Signal done_;
};

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_STREAM_BODY_H_
