// The life of a run: its states, its times, its result.
#include "server/run/run.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/codec/proto_time.h"
#include "base/codec/run_state.h"
#include "base/utf8.h"
#include "server/log/record.h"
#include "server/run/cut_parameters.h"
#include "server/run/parameter_check.h"

namespace jobtail {
namespace {

constexpr size_t kMaxErrorBytes = 16 << 10;
constexpr size_t kMaxProgressBytes = 1 << 10;

v1::ResourceUsage ToProto(const ResourceUsage& usage) {
  v1::ResourceUsage proto;
  *proto.mutable_user_time() = ToProtoDuration(usage.user_time);
  *proto.mutable_system_time() = ToProtoDuration(usage.system_time);
  proto.set_peak_memory_bytes(usage.peak_memory_bytes);
  return proto;
}

v1::RunState FinalState(const JobResult& job_result, std::optional<StopReason> stopped) {
  if (stopped == StopReason::kTimeout) return v1::RUN_STATE_TIMED_OUT;
  if (stopped) return v1::RUN_STATE_CANCELLED;
  const bool failed =
      job_result.exit_code != 0 || job_result.signal != 0 || !job_result.error.empty();
  return failed ? v1::RUN_STATE_FAILED : v1::RUN_STATE_SUCCEEDED;
}

std::string WhyStopped(StopReason reason, absl::Duration timeout) {
  switch (reason) {
    case StopReason::kCancel:
      return "cancelled";
    case StopReason::kTimeout:
      return absl::StrCat("stopped after its timeout of ", absl::FormatDuration(timeout));
    case StopReason::kShutdown:
      return "the server shut down";
  }
  return "";
}

std::vector<std::string> SecretsOf(const Job& job, const ParameterValues& values) {
  std::vector<std::string> secrets;
  for (const v1::Parameter& parameter : job.proto().parameters()) {
    if (parameter.secret()) secrets.push_back(FormatValue(values.at(parameter.name())));
  }
  return secrets;
}

}  // namespace

google::protobuf::Map<std::string, std::string> WithoutSecrets(
    const Job& job, google::protobuf::Map<std::string, std::string> parameters) {
  for (const v1::Parameter& parameter : job.proto().parameters()) {
    const auto found = parameters.find(parameter.name());
    if (parameter.secret() && found != parameters.end()) found->second = kMask;
  }
  return parameters;
}

Run::Run(std::string id, std::shared_ptr<const Job> job, ParameterValues parameters,
         const v1::CreateRunRequest& request, const LogOptions& log, const Services* services,
         std::string created_by)
    : id_(std::move(id)),
      job_name_(job->name()),
      job_(std::move(job)),
      request_id_(request.request_id()),
      created_by_(std::move(created_by)),
      services_(services) {
  Masker masker(SecretsOf(*job_, parameters), job_->options().masks);
  // NOLINTNEXTLINE(modernize-make-unique): an aggregate that cannot be moved
  execution_.reset(new ExecutionState{std::move(parameters), std::move(masker),
                                      WithoutSecrets(*job_, request.parameters()), std::nullopt,
                                      std::nullopt, nullptr});
  auto run = std::make_unique<v1::Run>();
  run->set_id(id_);
  run->set_job(job_name_);
  run->set_created_by(created_by_);
  for (const auto& [name, value] : execution_->parameters) {
    (*run->mutable_parameters())[name] = FormatValue(value);
  }
  *run->mutable_parameters() = WithoutSecrets(*job_, run->parameters());
  run->set_state(v1::RUN_STATE_PENDING);
  *run->mutable_create_time() = ToTimestamp(clock()->Now());
  LogOptions options = log;
  options.drop_when_full |= job_->drops_when_full();
  absl::MutexLock log_lock(&log_mutex_);
  // In one piece with its count of references, the log's memory would go with the last weak one.
  active_log_.reset(new Log(id_, services_->log, options));
  active_log_->SetRun(*run);
  log_ = active_log_;
  execution_->output.emplace(active_log_.get(), &execution_->masker, job_->options().overwrites,
                             services_->timers);
  absl::MutexLock lock(&mutex_);
  proto_ = std::move(run);
}

Run::Run(storage::v1::StoredRun stored, const Services* services)
    : id_(stored.run().id()),
      job_name_(stored.run().job()),
      request_id_(stored.request_id()),
      created_by_(stored.run().created_by()),
      services_(services),
      done_(true),
      stop_(std::nostopstate) {
  absl::MutexLock lock(&mutex_);
  v1::Run run = std::move(*stored.mutable_run());
  const absl::Time end = absl::FromUnixNanos(ToUnixNanos(run.end_time()));
  ended_ = clock()->Steady() - std::max(clock()->Now() - end, absl::ZeroDuration());
  state_ = run.state();
  KeepEndedLocked(std::move(run));
}

absl::Status Run::Start() { return job_->executor().Start(shared_from_this()); }

const ParameterValues& Run::parameters() const {
  static const auto& none = *new ParameterValues;
  return execution_ ? execution_->parameters : none;
}

std::stop_token Run::stop_token() const {
  absl::MutexLock lock(&mutex_);
  return stop_.get_token();
}

bool Run::IsAskedToStop() const {
  absl::MutexLock lock(&mutex_);
  return stop_reason_.has_value();
}

void Run::Started() {
  SetRunning();
  if (job_->timeout() == absl::InfiniteDuration()) return;
  execution_->timer = services_->timers->After(job_->timeout(), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->RequestStop(StopReason::kTimeout);
  });
}

void Run::SetRunning() {
  {
    absl::MutexLock lock(&mutex_);
    started_ = clock()->Steady();
    state_ = v1::RUN_STATE_RUNNING;
    proto_->set_state(state_);
    *proto_->mutable_start_time() = NowLocked();
    services_->moved(id_, state_, started_);
  }
  TellReaders();
  Store();
  services_->changed(id_);
}

void Run::Ended(const JobResult& job_result) {
  if (execution_->timer) services_->timers->Cancel(*execution_->timer);
  End(job_result, /*started=*/true);
}

void Run::EndUnstarted(const absl::Status& error) {
  JobResult job_result;
  if (!error.ok())
    job_result = {1, absl::StrCat("the run could not be started: ", error.ToString())};
  End(job_result, /*started=*/false);
}

// Watchers are told when all is done, so that they find the run as it stays.
void Run::End(const JobResult& job_result, bool started) {
  StoreResult(job_result, started);
  Release();
  services_->changed(id_);
  services_->done(id_);
}

// What the job says, fit to be shown.
std::string Run::ToText(std::string_view text, size_t max_bytes) const {
  const Masker& masker = execution_->masker;
  return ToUtf8(masker.empty() ? text : masker.Mask(text), max_bytes);
}

v1::RunResult Run::MakeResult(const JobResult& job_result,
                              const OverwriteSink::Dropped& overwritten) const {
  v1::RunResult result;
  result.set_overwritten_lines(overwritten.lines);
  result.set_total_bytes(overwritten.bytes);
  absl::MutexLock lock(&mutex_);
  result.set_state(FinalState(job_result, stop_reason_));
  result.set_exit_code(job_result.exit_code);
  result.set_signal(job_result.signal);
  result.set_core_dumped(job_result.core_dumped);
  if (job_result.usage) *result.mutable_usage() = ToProto(*job_result.usage);
  result.set_error(ToText(job_result.error, kMaxErrorBytes));
  if (job_result.error.empty() && stop_reason_) {
    result.set_error(WhyStopped(*stop_reason_, job_->timeout()));
    if (started_ == absl::InfiniteDuration())
      result.mutable_error()->append(" before the job was started");
  }
  if (started_ != absl::InfiniteDuration()) {
    *result.mutable_duration() = ToProtoDuration(clock()->Steady() - started_);
  }
  return result;
}

// The record of the result, the state that GetRun shows and the end of the readers' streams come at
// one moment: whoever has seen one of them sees the others.
void Run::StoreResult(const JobResult& job_result, bool started) {
  v1::RunResult so_far = MakeResult(job_result, execution_->output->Finish());
  FindLog()->Finish(std::move(so_far), [&](const v1::RunResult& result) {
    absl::MutexLock lock(&mutex_);
    if (started) services_->ended(job_name_);
    *proto_->mutable_result() = result;
    *proto_->mutable_end_time() = NowLocked();
    state_ = result.state();
    proto_->set_state(state_);
    ended_ = clock()->Steady();
    services_->moved(id_, state_, ended_);
    return *proto_;
  });
  TellReaders();
  Store();
}

// One at a time, so that the readers' last word is the newest.
void Run::TellReaders() {
  absl::MutexLock lock(&telling_mutex_);
  if (const auto log = FindLog()) log->SetRun(Get());
}

void Run::Store() {
  absl::MutexLock lock(&store_mutex_);
  const absl::Status stored = deleted_ ? absl::OkStatus() : services_->log.store->PutRun(Stored());
  if (!stored.ok()) {
    spdlog::error("run {}: its state cannot be stored: {}", id_, stored.ToString());
  }
}

absl::Status Run::DeleteStored() {
  absl::MutexLock lock(&store_mutex_);
  const absl::Status status = services_->log.store->DeleteRun(id_);
  deleted_ |= status.ok();
  return status;
}

void Run::MarkLogDeleted() {
  {
    absl::MutexLock lock(&log_mutex_);
    log_deleted_ = true;
  }
  if (const auto log = FindLog()) log->MarkDeleted();
}

// Null if the run has ended and nobody reads.
std::shared_ptr<Log> Run::FindLog() const {
  absl::MutexLock lock(&log_mutex_);
  return log_.lock();
}

// Two readers that come together share one log: the second finds what the first has opened.
absl::StatusOr<std::shared_ptr<Log>> Run::OpenLog() {
  if (std::shared_ptr<Log> log = FindLog()) return log;
  absl::MutexLock opening(&open_mutex_);
  if (std::shared_ptr<Log> log = FindLog()) return log;
  const absl::StatusOr<LogExtent> extent = services_->log.store->GetExtent(id_);
  if (!extent.ok()) return extent.status();
  std::shared_ptr<Log> log = Log::OpenEnded(Get(), *extent, services_->log);
  bool deleted;
  {
    absl::MutexLock lock(&log_mutex_);
    log_ = log;
    deleted = log_deleted_;
  }
  if (deleted) log->MarkDeleted();  // while the store was asked
  return log;
}

// Nobody executes the run any more, and it is not stored again.
void Run::Release() {
  const int64_t last = FindLog()->GetSnapshot().last;
  {
    absl::MutexLock lock(&mutex_);
    proto_->set_last_sequence(last);
    KeepEndedLocked(std::move(*proto_));
    proto_.reset();
    stop_ = std::stop_source(std::nostopstate);
  }
  execution_.reset();
  ReleaseLog();
  done_ = true;
}

// What is in memory of the log goes when its last reader has gone.
void Run::ReleaseLog() {
  std::shared_ptr<Log> log;
  {
    absl::MutexLock lock(&log_mutex_);
    log.swap(active_log_);
  }
  log.reset();  // perhaps destroyed, without the lock
  absl::MutexLock lock(&log_mutex_);
  if (log_.expired()) log_.reset();
}

// As bytes: a fourth of what the message takes in memory.
void Run::KeepEndedLocked(v1::Run run) {
  CutParameters(&run);
  run.clear_id();
  run.clear_job();
  run.clear_created_by();
  encoded_ = run.SerializeAsString();
  encoded_.shrink_to_fit();
}

void Run::RequestStop(StopReason reason) {
  std::stop_source stop(std::nostopstate);
  {
    absl::MutexLock lock(&mutex_);
    if (IsFinal(state_) || stop_reason_) return;
    stop_reason_ = reason;
    *proto_->mutable_cancel_time() = NowLocked();
    stop = stop_;
  }
  stop.request_stop();
  TellReaders();
  services_->changed(id_);
}

void Run::ReportProgress(double fraction, std::string_view text) {
  v1::RunProgress progress;
  progress.set_fraction(std::isfinite(fraction) ? std::clamp(fraction, 0.0, 1.0) : 0);
  progress.set_text(ToText(text, kMaxProgressBytes));
  *progress.mutable_time() = ToTimestamp(clock()->Now());
  absl::MutexLock telling(&telling_mutex_);
  {
    absl::MutexLock lock(&mutex_);
    const absl::Duration now = clock()->Steady();
    const double elapsed = absl::ToDoubleSeconds(now - std::min(started_, now));
    if (elapsed > 0) progress.set_rate(progress.fraction() / elapsed);
    if (progress.rate() > 0) {
      *progress.mutable_remaining() =
          ToProtoDuration(absl::Seconds((1 - progress.fraction()) / progress.rate()));
    }
    *proto_->mutable_progress() = progress;
  }
  if (const auto log = FindLog()) log->SetProgress(progress);
}

v1::Run Run::Get() const {
  const std::shared_ptr<Log> log = FindLog();
  v1::Run run;
  std::string encoded;
  {
    absl::MutexLock lock(&mutex_);
    if (proto_) {
      run = *proto_;
    } else {
      encoded = encoded_;
    }
  }
  if (!encoded.empty()) {
    run.ParseFromString(encoded);
    run.set_id(id_);
    run.set_job(job_name_);
    run.set_created_by(created_by_);
  }
  // Afterwards: with the result if that is there.
  if (log) run.set_last_sequence(log->GetSnapshot().last);
  return run;
}

storage::v1::StoredRun Run::Stored() const {
  storage::v1::StoredRun stored;
  *stored.mutable_run() = Get();
  stored.mutable_run()->clear_progress();
  stored.set_request_id(request_id_);
  *stored.mutable_request_parameters() = execution_->request_parameters;
  return stored;
}

absl::Duration Run::SinceEnd() const {
  absl::MutexLock lock(&mutex_);
  return IsFinal(state_) ? clock()->Steady() - ended_ : absl::ZeroDuration();
}

absl::Duration Run::ended() const {
  absl::MutexLock lock(&mutex_);
  return ended_;
}

// The time of day, but never before an earlier time of the run: the clock may have been set back.
google::protobuf::Timestamp Run::NowLocked() const {
  return std::max({ToTimestamp(clock()->Now()), proto_->create_time(), proto_->start_time(),
                   proto_->cancel_time()},
                  [](const auto& a, const auto& b) { return ToUnixNanos(a) < ToUnixNanos(b); });
}

v1::RunState Run::state() const {
  absl::MutexLock lock(&mutex_);
  return state_;
}

}  // namespace jobtail
