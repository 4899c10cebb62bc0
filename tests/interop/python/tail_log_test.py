"""TailLog: starts, follow, filters, hostile bytes, heartbeats, the end of the server, errors."""

import unittest

import grpc
from google.protobuf import timestamp_pb2

from demo import Between, Demo, DemoTest, nanos
from jobtail.v1 import job_service_pb2 as service
from jobtail.v1 import log_pb2 as log
from jobtail.v1 import run_pb2 as run

# The bytes that each ending stands for.
TERMINATORS = {log.ENDING_LF: b"\n", log.ENDING_CRLF: b"\r\n", log.ENDING_CR: b"\r", log.ENDING_NONE: b"",
               log.ENDING_SPLIT: b""}
MAX_LINE_BYTES = 64 << 10
DEFAULT_MESSAGE_LIMIT = 4 << 20


class TailLogTest(DemoTest):
    flags = ("--heartbeat=0.1",)

    def ended_run(self, job, **parameters):
        """Runs a job to its end and returns its id."""
        request = service.RunJobRequest(job=job, parameters={k: str(v) for k, v in parameters.items()})
        return list(self.stream("RunJob", request))[0].run.id

    def tail(self, run_id, **fields):
        """All messages of a TailLog, in one list."""
        batches = self.stream("TailLog", service.TailLogRequest(run=run_id, **fields))
        return [line for batch in batches for line in batch.lines]

    def records(self, run_id, **fields):
        return [line for line in self.tail(run_id, **fields) if line.sequence]

    def sequences(self, run_id, **fields):
        return [record.sequence for record in self.records(run_id, **fields)]

    def test_first_message_carries_the_run(self):
        recent = Between()
        ended = self.ended_run("countdown", times=2, interval="1ms")
        first = self.tail(ended)[0]
        self.assert_fields(first, time=recent, run=lambda _: True)
        self.assert_fields(first.run, id=ended, job="countdown", parameters={"times": "2", "interval": "1ms"},
                           state=run.RUN_STATE_SUCCEEDED, create_time=recent, start_time=recent, end_time=recent,
                           result=lambda result: result.total_lines == 3, last_sequence=4)

    def test_every_way_to_start(self):
        ended = self.ended_run("countdown", times=4, interval="20ms")  # 5 lines and the result
        everything = self.records(ended)
        self.assertEqual([r.sequence for r in everything], [1, 2, 3, 4, 5, 6])
        self.assertTrue(everything[-1].HasField("result"))
        for follow in (False, True):
            with self.subTest(follow=follow):
                self.assertEqual(self.records(ended, follow=follow), everything)
                for first in range(1, 8):
                    self.assertEqual(self.records(ended, from_sequence=first, follow=follow), everything[first - 1:])
                for count, sequences in ((0, [6]), (1, [5, 6]), (2, [4, 5, 6]), (5, [1, 2, 3, 4, 5, 6]),
                                         (99, [1, 2, 3, 4, 5, 6])):
                    self.assertEqual(self.sequences(ended, last_lines=count, follow=follow), sequences)
                for record in everything:
                    self.assertEqual(self.records(ended, since=record.time, follow=follow)[0].time, record.time)
                long_ago = timestamp_pb2.Timestamp(seconds=1)
                self.assertEqual(self.records(ended, since=long_ago, follow=follow), everything)
                far_ahead = timestamp_pb2.Timestamp(seconds=2**33)
                self.assertEqual(self.records(ended, since=far_ahead, follow=follow), [])

    def test_follow_goes_on_to_the_end_and_without_it_the_stream_ends_where_the_log_ends_now(self):
        started = self.call("CreateRun", service.CreateRunRequest(
            job="countdown", parameters={"times": "1000000", "interval": "20ms"}))
        follower = self.stream("TailLog", service.TailLogRequest(run=started.id, follow=True))
        seen = []
        while len(seen) < 5:
            seen += [line for line in next(follower).lines if line.sequence]
        now = self.records(started.id)
        self.assertGreaterEqual(len(now), 5)
        self.assertFalse(now[-1].HasField("result"))
        self.assertEqual(now[:5], seen[:5])
        self.call("CancelRun", service.CancelRunRequest(run=started.id))
        for batch in follower:
            seen += [line for line in batch.lines if line.sequence]
        self.assertEqual(follower.code(), grpc.StatusCode.OK)
        self.assertEqual([record.sequence for record in seen], list(range(1, len(seen) + 1)))
        self.assertEqual(seen[-1].result.state, run.RUN_STATE_CANCELLED)
        self.assertEqual(seen, self.records(started.id))

    def test_filters_take_lines_and_leave_the_result(self):
        ended = self.ended_run("throws")
        out, err, result = self.records(ended)
        self.assertEqual(self.records(ended, streams=[log.STREAM_STDOUT]), [out, result])
        self.assertEqual(self.records(ended, streams=[log.STREAM_STDERR], follow=True), [err, result])
        self.assertEqual(self.records(ended, streams=[log.STREAM_STDOUT, log.STREAM_STDERR]), [out, err, result])
        self.assertEqual(self.records(ended, pattern="valve$"), [out, result])
        self.assertEqual(self.records(ended, pattern="(?i)PRESSURE"), [err, result])
        self.assertEqual(self.records(ended, pattern="nothing like it"), [result])
        self.assertEqual(self.records(ended, pattern="valve", streams=[log.STREAM_STDERR]), [result])
        self.assertEqual(self.records(ended, pattern=".", last_lines=1), [err, result])

    def test_pattern_is_searched_in_bytes(self):
        ended = self.ended_run("bytes", long_line=10)
        self.assertEqual([r.raw for r in self.records(ended, pattern=r"\xE9|\xFF") if r.stream], [b"caf\xe9 \xff\xfe"])
        self.assertEqual([r.text for r in self.records(ended, pattern=r"\x00") if r.stream], ["nul\0nul"])
        self.assertEqual([r.text for r in self.records(ended, pattern="^$") if r.stream], [""])

    def check_bytes(self, records, long_line):
        printed = {log.STREAM_STDOUT: b"", log.STREAM_STDERR: b""}
        for record in records[:-1]:
            content = record.WhichOneof("content")
            self.assertIn(content, ("text", "raw"))
            text = record.text.encode() if content == "text" else record.raw
            if content == "raw":
                with self.assertRaises(UnicodeDecodeError):
                    text.decode()
            self.assertLessEqual(len(text), MAX_LINE_BYTES)
            printed[record.stream] += text + TERMINATORS[record.ending]
        expected = (b"caf\xc3\xa9 \xe2\x9c\x93\n" b"caf\xe9 \xff\xfe\n" b"nul\0nul\n" b"\n" + b"x" * long_line + b"\n"
                    b"no newline at the end")
        self.assertEqual(printed[log.STREAM_STDOUT] == expected, True, "stdout, byte for byte")
        self.assertEqual(printed[log.STREAM_STDERR], b"on stderr\n")
        self.assertEqual([r.raw for r in records if r.WhichOneof("content") == "raw"], [b"caf\xe9 \xff\xfe"])
        self.assertEqual([r.text for r in records[:4]], ["café ✓", "", "nul\0nul", ""])
        splits = [r for r in records if r.ending == log.ENDING_SPLIT]
        self.assertEqual(len(splits), (long_line - 1) // MAX_LINE_BYTES)
        self.assertEqual(records[-2].text, "no newline at the end")
        self.assertEqual(records[-2].ending, log.ENDING_NONE)
        self.assertEqual(records[-1].result.total_lines, len(records) - 1 - len(splits))  # a line in pieces is one
        self.assertEqual(records[-1].result.total_bytes, len(expected) + len(b"on stderr\n"))

    def test_hostile_bytes_arrive_as_they_were_printed(self):
        long_line = 10_000_000
        request = service.RunJobRequest(job="bytes", parameters={"long_line": str(long_line)})
        followed = list(self.stream("RunJob", request))
        records = [line for line in followed if line.sequence]
        self.check_bytes(records, long_line)
        self.assertEqual(self.records(followed[0].run.id, follow=True), records)
        for batch in self.stream("TailLog", service.TailLogRequest(run=followed[0].run.id)):
            self.assertLess(batch.ByteSize(), DEFAULT_MESSAGE_LIMIT / 4)

    def test_a_slow_reader_gets_everything(self):
        ended = self.ended_run("firehose", lines=200_000)
        expected = 0
        for batch in self.stream("TailLog", service.TailLogRequest(run=ended)):
            for line in batch.lines:
                if not line.sequence:
                    continue
                expected += 1
                self.assertEqual(line.sequence, expected)
                if line.HasField("text"):
                    self.assertEqual(line.text, f"{expected} ".ljust(80, "."))
        self.assertEqual(expected, 200_001)

    def test_idle_streams_get_heartbeats(self):
        recent = Between()
        started = self.call("CreateRun", service.CreateRunRequest(
            job="countdown", parameters={"times": "2", "interval": "1h"}))
        for name, request in (("TailLog", service.TailLogRequest(run=started.id, follow=True)),
                              ("RunJob", service.RunJobRequest(job="countdown",
                                                               parameters={"times": "2", "interval": "1h"}))):
            stream = self.stream(name, request)
            for message in stream:
                lines = message.lines if name == "TailLog" else [message]
                beats = [line for line in lines if line.WhichOneof("content") == "heartbeat"]
                if beats:
                    self.assert_fields(beats[0], time=recent, heartbeat=lambda _: True)
                    self.assert_fields(beats[0].heartbeat, time=recent, last_sequence=1, searched_through=1)
                    break
            stream.cancel()
        self.call("CancelRun", service.CancelRunRequest(run=started.id))

    def test_errors_name_the_thing_and_the_value(self):
        ended = self.ended_run("countdown", times=1, interval="0s")  # 2 lines and the result
        unknown = "01890000-0000-7000-8000-000000000000"
        invalid = grpc.StatusCode.INVALID_ARGUMENT
        out_of_range = grpc.StatusCode.OUT_OF_RANGE
        for follow in (False, True):
            def tail(run_id=ended, follow=follow, **fields):
                return lambda: self.tail(run_id, follow=follow, **fields)

            self.assert_error(grpc.StatusCode.NOT_FOUND, tail(unknown), unknown)
            self.assert_error(invalid, tail(""), "run")
            self.assert_error(out_of_range, tail(from_sequence=5), "from_sequence", "5", ended, "3")
            self.assert_error(out_of_range, tail(from_sequence=0), "from_sequence", "0")
            self.assert_error(out_of_range, tail(from_sequence=-1), "from_sequence", "-1")
            self.assert_error(invalid, tail(last_lines=-2), "last_lines", "-2")
            self.assert_error(invalid, tail(pattern="(unclosed"), "pattern", "(unclosed")
            self.assert_error(invalid, tail(streams=[0]), "streams", "0", "STREAM_STDOUT")
            self.assert_error(invalid, tail(streams=[77]), "streams", "77")


class StoppedServerTest(unittest.TestCase):
    """What readers are told when the server is stopped under them."""

    def test_streams_end_with_the_result_or_a_resume_point(self):
        demo = Demo()
        try:
            started = demo.stub.CreateRun(service.CreateRunRequest(
                job="countdown", parameters={"times": "2", "interval": "1h"}), timeout=60)
            log_stream = demo.stub.TailLog(service.TailLogRequest(run=started.id, follow=True), timeout=60)
            runs_stream = demo.stub.WatchRuns(service.WatchRunsRequest(), timeout=60)
            self.assertEqual(next(runs_stream).id, started.id)
            lines = []
            while not any(line.sequence for line in lines):
                lines += next(log_stream).lines
            self.assertEqual(demo.stop(), 0)
            lines += [line for batch in log_stream for line in batch.lines]
            self.assertEqual(lines[-1].result.state, run.RUN_STATE_CANCELLED)
            self.assertEqual(log_stream.code(), grpc.StatusCode.OK)
            with self.assertRaises(grpc.RpcError) as raised:
                list(runs_stream)
            self.assertEqual(raised.exception.code(), grpc.StatusCode.UNAVAILABLE)
        finally:
            demo.kill()

    def test_a_job_that_does_not_stop_leaves_a_resume_point(self):
        demo = Demo("--stop-grace=0")
        try:
            started = demo.stub.CreateRun(service.CreateRunRequest(
                job="threads", parameters={"threads": "4", "lines": "1000000"}), timeout=60)
            stream = demo.stub.TailLog(service.TailLogRequest(run=started.id, follow=True), timeout=60)
            last = 0
            while last == 0:
                last = next(stream).lines[-1].sequence
            self.assertEqual(demo.stop(), 0)
            with self.assertRaises(grpc.RpcError) as raised:
                for batch in stream:
                    last = max(last, batch.lines[-1].sequence)
            self.assertEqual(raised.exception.code(), grpc.StatusCode.UNAVAILABLE)
            trailers = dict(raised.exception.trailing_metadata())
            self.assertEqual(trailers["jobtail-resume-sequence"], str(last + 1))
        finally:
            demo.kill()


if __name__ == "__main__":
    unittest.main()
