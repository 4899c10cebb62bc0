"""Starting programs, feeding one to the next, and asking the kernel what they cost."""

import json
import os
import signal
import socket
import subprocess
import time

TICKS = os.sysconf('SC_CLK_TCK')  # of processor time in a second, as the kernel counts it


class Missing(Exception):
    """A system that cannot be measured here, and what it would need."""


def free_port():
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


def wait_until(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f'{what} did not happen within {seconds} s')
        time.sleep(0.01)


def listens(port):
    with socket.socket() as client:
        return client.connect_ex(('127.0.0.1', port)) == 0


class Daemon:
    """A server: a process that is ended when the `with` is left."""

    def __init__(self, command, log, *, apart=True, **options):
        """In a session of its own, or, not `apart`, in that of this program: a kernel with autogroups (sched_autogroup) gives
        each session as much of the processors as any other."""
        self.command = [str(part) for part in command]
        self.log = open(log, 'ab')
        self.process = subprocess.Popen(self.command, stderr=self.log, stdin=subprocess.DEVNULL,
                                        start_new_session=apart, process_group=None if apart else 0, **options)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        self.log.close()

    def wait_until_listening(self, port):
        def listening():
            if self.process.poll() is not None:
                raise RuntimeError(f'{self.command[0]} ended; see {self.log.name}')
            return listens(port)
        wait_until(listening, f'{self.command[0]} listening on port {port}')

    def cpu_seconds(self):
        """Of the process and of its children that have ended, once all of them have."""
        children = f'/proc/{self.pid}/task/{self.pid}/children'
        wait_until(lambda: not open(children).read(), f"the end of {self.command[0]}'s children")
        fields = open(f'/proc/{self.pid}/stat').read().rsplit(')', 1)[1].split()
        return sum(int(ticks) for ticks in fields[11:15]) / TICKS

    def memory(self, key='VmRSS'):
        """In bytes; VmHWM is the most it ever was."""
        with open(f'/proc/{self.pid}/status') as status:
            for line in status:
                if line.startswith(key + ':'):
                    return int(line.split()[1]) * 1024
        raise KeyError(key)


class GrpcDaemon(Daemon):
    """A server that prints `grpc HOST:PORT` once it serves."""

    def __init__(self, command, log, **options):
        super().__init__(command, log, stdout=subprocess.PIPE, text=True, **options)
        line = self.process.stdout.readline()
        if not line.startswith('grpc '):
            self.stop()
            raise RuntimeError(f'{self.command[0]} does not serve; see {log}')
        self.address = line.split()[1]


class JobtailDaemon(GrpcDaemon):
    """A server that prints `http http://HOST:PORT/` as well."""

    def __init__(self, command, log, **options):
        super().__init__(command, log, **options)
        line = self.process.stdout.readline()
        if not line.startswith('http '):
            self.stop()
            raise RuntimeError(f'{self.command[0]} does not serve HTTP; see {log}')
        self.http_port = int(line.rstrip('/\n').rsplit(':', 1)[1])


def start_pipeline(commands):
    processes = []
    upstream = subprocess.DEVNULL
    for command in commands:
        processes.append(subprocess.Popen([str(part) for part in command], stdin=upstream, stdout=subprocess.PIPE))
        if upstream != subprocess.DEVNULL:
            upstream.close()
        upstream = processes[-1].stdout
    return processes


def reap(process):
    """Waits for the end. Returns the CPU seconds; raises unless it ended well."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f'exit code {process.returncode} from: {" ".join(process.args)}')
    return usage.ru_utime + usage.ru_stime


def run(*commands):
    """Runs a pipeline. Returns what its end printed, as JSON, and the CPU seconds of each part."""
    processes = start_pipeline(commands)
    try:
        with processes[-1].stdout as end:
            output = end.read()
        cpu = [reap(process) for process in processes]
    finally:
        for process in processes:
            if process.returncode is None:
                process.kill()
                process.wait()
    return json.loads(output), cpu
