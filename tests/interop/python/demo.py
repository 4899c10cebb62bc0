"""The demo server as a fixture, and what all tests against it share."""

import os
import signal
import subprocess
import time
import unittest

import grpc

from jobtail.v1 import job_service_pb2_grpc

DEADLINE_SECONDS = 60


class Demo:
    """A jobtail-demo process on a free port, with a stub that talks to it."""

    def __init__(self, *flags):
        command = [os.environ["JOBTAIL_DEMO"], "--grpc-address=127.0.0.1:0", "--http-address=127.0.0.1:0", *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        word, _, self.address = line.strip().partition(" ")
        if word != "grpc":
            raise RuntimeError(f"instead of its address the server printed {line!r}")
        self.channel = grpc.insecure_channel(self.address)
        self.stub = job_service_pb2_grpc.JobServiceStub(self.channel)

    def stop(self):
        """Ends the server in order and returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_SECONDS)

    def kill(self):
        self.channel.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class DemoTest(unittest.TestCase):
    """Tests that share one server."""

    flags = ()
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.demo = Demo(*cls.flags)
        cls.addClassCleanup(cls.demo.kill)
        cls.stub = cls.demo.stub

    def call(self, name, request):
        """Calls a unary rpc."""
        return getattr(self.stub, name)(request, timeout=DEADLINE_SECONDS)

    def stream(self, name, request):
        """Calls a streaming rpc."""
        return getattr(self.stub, name)(request, timeout=DEADLINE_SECONDS)

    def assert_fields(self, message, **expected):
        """The message has exactly these fields set; each is equal to what is given, or satisfies it."""
        actual = {field.name: value for field, value in message.ListFields()}
        self.assertEqual(sorted(actual), sorted(expected), message)
        for name, want in expected.items():
            value = actual[name]
            if callable(want):
                self.assertTrue(want(value), f"{name} of {message}")
            elif isinstance(want, dict):
                self.assertEqual(dict(value), want, f"{name} of {message}")
            else:
                self.assertEqual(value, want, f"{name} of {message}")

    def assert_error(self, code, call, *parts):
        """`call` fails with `code` and a message in which each of the parts occurs."""
        with self.assertRaises(grpc.RpcError) as raised:
            result = call()
            if not hasattr(result, "DESCRIPTOR"):
                list(result)
        self.assertEqual(raised.exception.code(), code, raised.exception.details())
        for part in parts:
            self.assertIn(part, raised.exception.details())


def nanos(time_or_duration):
    return time_or_duration.seconds * 10**9 + time_or_duration.nanos


class Between:
    """Whether a Timestamp lies between the making of this object and the question."""

    def __init__(self):
        self.begin = time.time_ns()

    def __call__(self, timestamp):
        return self.begin <= nanos(timestamp) <= time.time_ns()
