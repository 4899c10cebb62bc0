"""Everything about jobs and runs that is not their log: ListJobs, GetJob, CreateRun, GetRun, ListRuns, CancelRun,
DeleteRun, WatchRuns."""

import unittest

import grpc

from demo import Between, DemoTest, nanos
from jobtail.v1 import job_pb2 as job
from jobtail.v1 import job_service_pb2 as service
from jobtail.v1 import run_pb2 as run

FINAL = (run.RUN_STATE_SUCCEEDED, run.RUN_STATE_FAILED, run.RUN_STATE_CANCELLED)
UNKNOWN = "01890000-0000-7000-8000-000000000000"
FOREVER = {"times": "1000", "interval": "1h"}
SHORT = {"times": "1", "interval": "0s"}


class RunsTest(DemoTest):
    def create(self, name="countdown", parameters=None, request_id=""):
        return self.call("CreateRun", service.CreateRunRequest(job=name, parameters=parameters, request_id=request_id))

    def get(self, run_id):
        return self.call("GetRun", service.GetRunRequest(run=run_id))

    def cancel(self, run_id):
        return self.call("CancelRun", service.CancelRunRequest(run=run_id))

    def delete(self, run_id):
        return self.call("DeleteRun", service.DeleteRunRequest(run=run_id))

    def list_runs(self, **fields):
        return self.call("ListRuns", service.ListRunsRequest(**fields))

    def wait_for_end(self, run_id):
        """Follows the log to its end and returns the run as it is then."""
        list(self.stream("TailLog", service.TailLogRequest(run=run_id, follow=True)))
        return self.get(run_id)

    def ended(self, name="countdown", parameters=None):
        if name == "countdown":
            parameters = parameters or SHORT
        return self.wait_for_end(self.create(name, parameters).id)


class JobsTest(RunsTest):
    def test_list_jobs_by_name_and_in_pages(self):
        everything = self.call("ListJobs", service.ListJobsRequest())
        self.assertEqual(everything.next_page_token, "")
        names = [entry.name for entry in everything.jobs]
        self.assertEqual(names, sorted(names))
        self.assertLessEqual({"countdown", "firehose", "bytes"}, set(names))
        for size in (1, 2, len(names), 1000, 5000):
            paged, token = [], ""
            while True:
                page = self.call("ListJobs", service.ListJobsRequest(page_size=size, page_token=token))
                self.assertLessEqual(len(page.jobs), size)
                self.assertTrue(page.jobs)
                paged += page.jobs
                token = page.next_page_token
                if not token:
                    break
            self.assertEqual(paged, list(everything.jobs))

    def test_get_job_tells_every_parameter(self):
        countdown = self.call("GetJob", service.GetJobRequest(job="countdown"))
        self.assert_fields(countdown, name="countdown", help=lambda text: text.endswith("."), parameters=lambda _: True)
        times, interval = countdown.parameters
        self.assert_fields(times, name="times", type=job.PARAMETER_TYPE_INT, help=lambda text: text,
                           default_value="10", minimum="0", maximum="1000000")
        self.assert_fields(interval, name="interval", type=job.PARAMETER_TYPE_DURATION, help=lambda text: text,
                           default_value="1s", minimum="0", maximum="24h")
        code, = self.call("GetJob", service.GetJobRequest(job="exit")).parameters
        self.assert_fields(code, name="code", type=job.PARAMETER_TYPE_INT, help=lambda text: text, required=True,
                           minimum="0", maximum="255")
        listed = self.call("ListJobs", service.ListJobsRequest()).jobs
        self.assertIn(countdown, listed)

    def test_errors_name_the_thing_and_the_value(self):
        self.assert_error(grpc.StatusCode.NOT_FOUND, lambda: self.call("GetJob", service.GetJobRequest(job="nosuch")),
                          "nosuch", "countdown")
        self.assert_error(grpc.StatusCode.INVALID_ARGUMENT,
                          lambda: self.call("ListJobs", service.ListJobsRequest(page_size=-3)), "page_size", "-3")


class OneRunTest(RunsTest):
    def test_a_run_from_its_creation_to_its_end(self):
        recent = Between()
        parameters = {"times": "2", "interval": "300ms"}
        created = self.create("countdown", parameters)
        self.assertIn(created.state, (run.RUN_STATE_PENDING, run.RUN_STATE_RUNNING))
        first = next(self.stream("TailLog", service.TailLogRequest(run=created.id, from_sequence=1, follow=True)))
        self.assertTrue(first.lines)
        running = self.get(created.id)
        while not running.last_sequence:
            running = self.get(created.id)
        started = lambda time: recent(time) and nanos(time) >= nanos(created.create_time)
        self.assert_fields(running, id=created.id, job="countdown", parameters=parameters, state=run.RUN_STATE_RUNNING,
                           create_time=created.create_time, start_time=started, last_sequence=1)
        done = self.wait_for_end(created.id)
        self.assert_fields(done, id=created.id, job="countdown", parameters=parameters, state=run.RUN_STATE_SUCCEEDED,
                           create_time=created.create_time, start_time=running.start_time,
                           end_time=lambda time: recent(time) and nanos(time) >= nanos(running.start_time) + 600_000_000,
                           result=lambda _: True, last_sequence=4)
        self.assert_fields(done.result, state=run.RUN_STATE_SUCCEEDED, duration=lambda _: True, total_lines=3,
                           total_bytes=len("Task #0\nTask #1\nDone\n"))
        self.assertLessEqual(abs(nanos(done.end_time) - nanos(done.start_time) - nanos(done.result.duration)),
                             100_000_000)

    def test_cancel(self):
        recent = Between()
        created = self.create("countdown", FOREVER)
        cancelled = self.cancel(created.id)
        self.assertTrue(recent(cancelled.cancel_time))
        done = self.wait_for_end(created.id)
        self.assert_fields(done, id=created.id, job="countdown", parameters={"times": "1000", "interval": "1h"},
                           state=run.RUN_STATE_CANCELLED, create_time=recent, start_time=recent, end_time=recent,
                           cancel_time=cancelled.cancel_time, result=lambda _: True,
                           last_sequence=done.result.total_lines + 1)
        expected = {"state": run.RUN_STATE_CANCELLED, "error": lambda text: text, "duration": lambda _: True}
        if done.result.total_lines:  # it may have been cancelled before it printed anything
            expected.update(total_lines=1, total_bytes=len("Task #0\n"))
        self.assert_fields(done.result, **expected)
        self.assertEqual(self.cancel(created.id), done, "no effect on a run that has ended")

    def test_failure_is_in_the_result(self):
        done = self.ended("throws")
        self.assertEqual(done.state, run.RUN_STATE_FAILED)
        self.assertEqual(done.result.exit_code, 1)
        self.assertIn("the valve is stuck", done.result.error)

    def test_progress_is_the_latest(self):
        done = self.ended("progress", {"steps": "3", "interval": "10ms"})
        self.assert_fields(done.progress, fraction=1.0, text="step 3", rate=lambda rate: rate > 0,
                           remaining=lambda left: nanos(left) == 0, time=lambda _: True)

    def test_delete(self):
        created = self.create("countdown", FOREVER)
        self.assert_error(grpc.StatusCode.FAILED_PRECONDITION, lambda: self.delete(created.id), created.id)
        self.cancel(created.id)
        self.wait_for_end(created.id)
        self.delete(created.id)
        not_found = grpc.StatusCode.NOT_FOUND
        self.assert_error(not_found, lambda: self.get(created.id), created.id)
        self.assert_error(not_found, lambda: self.delete(created.id), created.id)
        self.assert_error(not_found, lambda: self.stream("TailLog", service.TailLogRequest(run=created.id)), created.id)
        self.assertNotIn(created.id, [entry.id for entry in self.list_runs().runs])

    def test_request_id_makes_a_retry_safe(self):
        first = self.create("countdown", SHORT, request_id="only once")
        again = self.create("countdown", SHORT, request_id="only once")
        self.assertEqual(again.id, first.id)
        self.assertNotEqual(self.create("countdown", SHORT, request_id="another").id, first.id)
        self.assertNotEqual(self.create("countdown", SHORT).id, self.create("countdown", SHORT).id)
        self.assert_error(grpc.StatusCode.INVALID_ARGUMENT,
                          lambda: self.create("exit", {"code": "0"}, request_id="only once"), "only once", first.id)

    def test_errors_name_the_thing_and_the_value(self):
        for call in (self.get, self.cancel, self.delete):
            self.assert_error(grpc.StatusCode.NOT_FOUND, lambda: call(UNKNOWN), UNKNOWN)
            self.assert_error(grpc.StatusCode.NOT_FOUND, lambda: call("no id at all"), "no id at all")
            self.assert_error(grpc.StatusCode.INVALID_ARGUMENT, lambda: call(""), "run")
        self.assert_error(grpc.StatusCode.NOT_FOUND, lambda: self.create("nosuch"), "nosuch", "countdown")
        self.assert_error(grpc.StatusCode.INVALID_ARGUMENT, lambda: self.create("countdown", {"times": "1.5"}),
                          "times", "1.5")


class ListRunsTest(RunsTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        test = cls()
        cls.countdowns = [test.ended() for _ in range(5)]
        cls.failed = test.ended("throws")
        cls.running = test.create("countdown", FOREVER)

    def ids(self, **fields):
        return [entry.id for entry in self.list_runs(**fields).runs]

    def test_newest_first(self):
        expected = [entry.id for entry in (self.running, self.failed, *reversed(self.countdowns))]
        self.assertEqual(self.ids(), expected)
        self.assertEqual(expected, sorted(expected, reverse=True), "ids are ordered by time")

    def test_runs_are_complete(self):
        for entry in self.list_runs(states=FINAL).runs:
            self.assertEqual(entry, self.get(entry.id))

    def test_filters(self):
        self.assertEqual(self.ids(job="throws"), [self.failed.id])
        self.assertEqual(self.ids(job="bytes"), [])
        self.assertEqual(self.ids(states=[run.RUN_STATE_FAILED]), [self.failed.id])
        self.assertEqual(self.ids(states=[run.RUN_STATE_PENDING, run.RUN_STATE_RUNNING]), [self.running.id])
        self.assertEqual(self.ids(job="countdown", states=[run.RUN_STATE_FAILED]), [])
        self.assertEqual(len(self.ids(job="countdown", states=[run.RUN_STATE_SUCCEEDED])), 5)

    def test_pages(self):
        for size in (1, 2, 3, 7, 100):
            paged, token = [], ""
            while True:
                page = self.list_runs(page_size=size, page_token=token)
                self.assertTrue(page.runs)
                self.assertLessEqual(len(page.runs), size)
                paged += [entry.id for entry in page.runs]
                token = page.next_page_token
                if not token:
                    break
            self.assertEqual(paged, self.ids())

    def test_a_page_goes_on_where_the_last_one_ended_whatever_has_come_since(self):
        page = self.list_runs(page_size=3, job="countdown", states=[run.RUN_STATE_SUCCEEDED])
        newer = self.ended()
        rest = self.list_runs(page_size=3, page_token=page.next_page_token, job="countdown",
                              states=[run.RUN_STATE_SUCCEEDED])
        self.delete(newer.id)
        self.assertEqual([entry.id for entry in (*page.runs, *rest.runs)],
                         [entry.id for entry in reversed(self.countdowns)])

    def test_errors_name_the_thing_and_the_value(self):
        self.assert_error(grpc.StatusCode.INVALID_ARGUMENT, lambda: self.list_runs(page_size=-1), "page_size", "-1")


class WatchRunsTest(RunsTest):
    def states_until_end(self, stream, run_id):
        states = []
        for entry in stream:
            if entry.id == run_id:
                states.append(entry.state)
                if entry.state in FINAL:
                    return states
        raise AssertionError(f"the stream ended after {states}")

    def test_tells_what_is_running_and_then_every_change(self):
        earlier = self.ended()
        running = self.create("countdown", FOREVER)
        stream = self.stream("WatchRuns", service.WatchRunsRequest())
        first = next(stream)
        self.assertEqual(first.id, running.id, f"not {earlier.id}, which has ended")
        later = self.create("countdown", SHORT)
        states = self.states_until_end(stream, later.id)
        self.assertEqual(states, sorted(states), "a run moves forward only")
        self.assertEqual(states[-1], run.RUN_STATE_SUCCEEDED)
        self.cancel(running.id)
        self.assertEqual(self.states_until_end(stream, running.id)[-1], run.RUN_STATE_CANCELLED)
        recent = Between()
        done = self.get(later.id)
        self.delete(later.id)
        deleted = next(entry for entry in stream if entry.id == later.id)
        self.assertTrue(recent(deleted.delete_time))
        deleted.ClearField("delete_time")
        done.ClearField("parameters")
        self.assertEqual(deleted, done)
        stream.cancel()

    def test_of_one_job(self):
        stream = self.stream("WatchRuns", service.WatchRunsRequest(job="throws"))
        stream.initial_metadata()
        self.ended()
        failed = self.ended("throws")
        entry = next(stream)
        self.assertEqual(entry.id, failed.id)
        stream.cancel()

    def test_errors_name_the_thing_and_the_value(self):
        self.assert_error(grpc.StatusCode.NOT_FOUND,
                          lambda: self.stream("WatchRuns", service.WatchRunsRequest(job="nosuch")), "nosuch")


class LimitsTest(RunsTest):
    flags = ("--max-active-runs=2",)

    def test_too_many_runs(self):
        runs = [self.create("countdown", FOREVER) for _ in range(2)]
        exhausted = grpc.StatusCode.RESOURCE_EXHAUSTED
        self.assert_error(exhausted, lambda: self.create("countdown", FOREVER), "2")
        self.assert_error(exhausted, lambda: self.stream("RunJob", service.RunJobRequest(job="countdown")), "2")
        for entry in runs:
            self.cancel(entry.id)
            self.wait_for_end(entry.id)
        self.ended()

    def test_too_large_parameters(self):
        self.assert_error(grpc.StatusCode.RESOURCE_EXHAUSTED, lambda: self.create("countdown", {"times": "9" * 2**20}),
                          "parameters", str(2**20))


if __name__ == "__main__":
    unittest.main()
