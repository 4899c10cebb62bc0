"""RunJob: every field of every message of a basic run, its variants and its errors."""

import threading
import unittest
import uuid

import grpc

from demo import Between, DemoTest, nanos
from jobtail.v1 import job_service_pb2 as service
from jobtail.v1 import log_pb2 as log
from jobtail.v1 import run_pb2 as run

COUNTDOWN = {"times": "3", "interval": "10ms"}  # parameters of the job of that name


def is_uuid7(text):
    return str(uuid.UUID(text)) == text and uuid.UUID(text).version == 7


class RunJobTest(DemoTest):
    def run_job(self, job, parameters=None, **fields):
        return self.stream("RunJob", service.RunJobRequest(job=job, parameters=parameters, **fields))

    def check_run(self, message, job, parameters, recent):
        """A Run as it is told on the way: in its state's shape."""
        self.assert_fields(message, time=recent, run=lambda _: True)
        self.assertEqual(message.WhichOneof("content"), "run")
        expected = {
            "id": is_uuid7,
            "job": job,
            "state": lambda state: state in (run.RUN_STATE_PENDING, run.RUN_STATE_RUNNING, run.RUN_STATE_SUCCEEDED),
            "create_time": recent,
        }
        if parameters:
            expected["parameters"] = parameters
        if message.run.state != run.RUN_STATE_PENDING:
            expected["start_time"] = lambda time: nanos(time) >= nanos(message.run.create_time)
        if message.run.last_sequence:
            expected["last_sequence"] = lambda last: last > 0
        if message.run.state == run.RUN_STATE_SUCCEEDED:
            expected["end_time"] = lambda time: nanos(time) >= nanos(message.run.start_time)
            expected["result"] = lambda result: result.state == run.RUN_STATE_SUCCEEDED
        self.assert_fields(message.run, **expected)

    def test_every_field_of_every_message(self):
        recent = Between()
        messages = list(self.run_job("countdown", COUNTDOWN))
        self.assertEqual(messages[0].WhichOneof("content"), "run", "the first message carries the run")
        for message in messages:
            if message.WhichOneof("content") == "run":
                self.check_run(message, "countdown", COUNTDOWN, recent)
        self.assertEqual(len({m.run.id for m in messages if m.HasField("run")}), 1)

        records = [m for m in messages if not m.HasField("run")]
        times = [nanos(record.time) for record in records]
        self.assertEqual(times, sorted(times), "no record is older than the one before")
        self.assertGreaterEqual(times[-1] - times[0], 30_000_000)
        texts = ["Task #0", "Task #1", "Task #2", "Done"]
        self.assertEqual(len(records), len(texts) + 1)
        for sequence, (record, text) in enumerate(zip(records, texts), 1):
            self.assert_fields(record, sequence=sequence, time=recent, stream=log.STREAM_STDOUT,
                               ending=log.ENDING_LF, text=text)
        self.assert_fields(records[-1], sequence=len(texts) + 1, time=recent, result=lambda _: True)
        self.assert_fields(records[-1].result, state=run.RUN_STATE_SUCCEEDED,
                           duration=lambda time: 30_000_000 <= nanos(time) < 60 * 10**9,
                           total_lines=len(texts), total_bytes=sum(len(text) + 1 for text in texts))
        self.assertEqual(messages[-1], records[-1], "the last message carries the result")

    def test_defaults_are_filled_in_and_kept(self):
        stream = self.run_job("countdown", {"interval": "0s"})
        messages = list(stream)
        self.assertEqual(dict(messages[0].run.parameters), {"times": "10", "interval": "0"})
        self.assertEqual(stream.code(), grpc.StatusCode.OK)

    def test_an_empty_log_has_a_result(self):
        messages = list(self.run_job("firehose", {"lines": "0"}))
        records = [m for m in messages if m.sequence]
        self.assertEqual(len(records), 1)
        self.assert_fields(records[0], sequence=1, time=lambda _: True, result=lambda _: True)
        self.assert_fields(records[0].result, state=run.RUN_STATE_SUCCEEDED, duration=lambda _: True)

    def test_failed_job_is_no_failed_call(self):
        stream = self.run_job("throws")
        messages = list(stream)
        self.assertEqual(stream.code(), grpc.StatusCode.OK)
        out, err, last = [m for m in messages if m.sequence]
        self.assert_fields(out, sequence=1, time=lambda _: True, stream=log.STREAM_STDOUT, ending=log.ENDING_LF,
                           text="Opening the valve")
        self.assert_fields(err, sequence=2, time=lambda _: True, stream=log.STREAM_STDERR, ending=log.ENDING_LF,
                           text="Pressure is too high")
        self.assert_fields(last.result, state=run.RUN_STATE_FAILED, exit_code=1,
                           error=lambda text: "the valve is stuck" in text, duration=lambda _: True,
                           total_lines=2, total_bytes=39)

    def test_exit_code_is_the_jobs(self):
        result = list(self.run_job("exit", {"code": "42"}))[-1].result
        self.assert_fields(result, state=run.RUN_STATE_FAILED, exit_code=42, duration=lambda _: True,
                           total_lines=1, total_bytes=len("exiting with 42\n"))

    def test_progress_is_told_beside_the_records(self):
        messages = list(self.run_job("progress", {"steps": "4", "interval": "20ms"}))
        reports = [m for m in messages if m.WhichOneof("content") == "progress"]
        self.assertTrue(reports)
        for report in reports:
            self.assert_fields(report, time=lambda _: True, progress=lambda _: True)
            expected = {
                "fraction": lambda fraction: 0 < fraction <= 1,
                "text": f"step {round(report.progress.fraction * 4)}",
                "rate": lambda rate: rate > 0,
                "remaining": lambda left: nanos(left) >= 0,
                "time": lambda time: time == report.time,
            }
            self.assert_fields(report.progress, **expected)
        printed = "".join(m.text + {log.ENDING_CR: "\r", log.ENDING_LF: "\n", log.ENDING_NONE: ""}[m.ending]
                          for m in messages if m.WhichOneof("content") == "text")
        thinned_out = messages[-1].result.overwritten_lines  # of a bar, about ten states a second are kept
        self.assertEqual(printed.count("\r") + thinned_out, 4)
        self.assertTrue(printed.endswith("100%\n"), printed)

    def test_request_id_makes_a_retry_follow_the_same_run(self):
        first = list(self.run_job("countdown", COUNTDOWN, request_id="once"))
        again = list(self.run_job("countdown", COUNTDOWN, request_id="once"))
        self.assertEqual(again[0].run.id, first[0].run.id)
        self.assertEqual([m for m in again if m.sequence], [m for m in first if m.sequence])
        self.assert_error(grpc.StatusCode.INVALID_ARGUMENT,
                          lambda: self.run_job("countdown", {"times": "4"}, request_id="once"), "once",
                          first[0].run.id)

    def test_a_client_that_goes_away_leaves_the_run_or_cancels_it(self):
        for on_disconnect, cancelled in ((service.ON_DISCONNECT_UNSPECIFIED, False),
                                         (service.ON_DISCONNECT_CONTINUE, False),
                                         (service.ON_DISCONNECT_CANCEL, True)):
            with self.subTest(on_disconnect):
                parameters = {"times": "1000", "interval": "1h"} if cancelled else {"times": "3", "interval": "200ms"}
                stream = self.run_job("countdown", parameters, on_disconnect=on_disconnect)
                started = next(stream).run
                stream.cancel()
                tail = self.stream("TailLog", service.TailLogRequest(run=started.id, follow=True))
                result = [line for batch in tail for line in batch.lines][-1].result
                want = run.RUN_STATE_CANCELLED if cancelled else run.RUN_STATE_SUCCEEDED
                self.assertEqual(result.state, want)

    def test_errors_name_the_thing_and_the_value(self):
        invalid = grpc.StatusCode.INVALID_ARGUMENT
        self.assert_error(grpc.StatusCode.NOT_FOUND, lambda: self.run_job("nosuch"), "nosuch", "countdown")
        self.assert_error(invalid, lambda: self.run_job("countdown", {"times": "many"}), "times", "many")
        self.assert_error(invalid, lambda: self.run_job("countdown", {"times": "-1"}), "times", "-1", "0")
        self.assert_error(invalid, lambda: self.run_job("countdown", {"interval": "10"}), "interval", "10")
        self.assert_error(invalid, lambda: self.run_job("countdown", {"colour": "red"}), "countdown", "colour", "times")
        self.assert_error(invalid, lambda: self.run_job("exit"), "exit", "code")
        self.assert_error(invalid, lambda: self.run_job("countdown", request_id="x" * 129), "request_id", "129", "128")

    def test_many_at_once(self):
        """Runs of the same job at the same time do not see one another's lines."""
        results = {}

        def follow(i):
            lines = [m.text for m in self.run_job("countdown", {"times": str(i), "interval": "1ms"})
                     if m.WhichOneof("content") == "text"]
            results[i] = lines

        threads = [threading.Thread(target=follow, args=(i,)) for i in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for i in range(20):
            self.assertEqual(results[i], [f"Task #{n}" for n in range(i)] + ["Done"])


if __name__ == "__main__":
    unittest.main()
