"""A server whose calls to the system fail as it is told, and what must be true of its logs. For tests/faults/endurance."""
import collections
import errno
import http.client
import json
import mmap
import os
import re
import struct
import subprocess
import threading

# Kinds of calls, as in fault_plan.h.
OPEN, READ, WRITE, SYNC, ACCEPT, ALLOCATE, TRUNCATE, MAP = (1 << bit for bit in range(8))
RULE = struct.Struct('<IiqqII32s')
PLAN_BYTES = 8 + 8 * RULE.size

# name, calls, part of the name, errno, times (-1: as long as it lasts), delay in ms, calls hit out of 1000
Fault = collections.namedtuple('Fault', 'name calls part error times delay per_mille', defaults=(-1, 0, 1000))
FAULTS = [
    Fault('one EIO in writing the write-ahead log', WRITE, '.log', errno.EIO, 1),
    Fault('one EIO in syncing the write-ahead log', SYNC, '.log', errno.EIO, 1),
    Fault('one EIO in writing a table', WRITE, '.sst', errno.EIO, 1),
    Fault('one EIO in syncing a table', SYNC, '.sst', errno.EIO, 1),
    Fault('one EIO in writing the MANIFEST', WRITE, 'MANIFEST', errno.EIO, 1),
    Fault('one EIO in syncing the MANIFEST', SYNC, 'MANIFEST', errno.EIO, 1),
    Fault('four EIOs in reading', READ, '.sst', errno.EIO, 4),
    Fault('EIO in every tenth call of any kind', READ | WRITE | SYNC | OPEN, 'data/', errno.EIO, -1, 0, 100),
    Fault('EIO in all writes', WRITE, 'data/', errno.EIO),
    Fault('EIO in all syncs', SYNC, 'data', errno.EIO),
    Fault('EIO in all reads', READ, '.sst', errno.EIO),
    Fault('a full disk', WRITE, 'data/', errno.ENOSPC),
    Fault('no descriptors', OPEN, 'data/', errno.EMFILE),
    Fault('no memory for files', OPEN | MAP, 'data/', errno.ENOMEM),
    Fault('no descriptors for connections', ACCEPT, '', errno.EMFILE, 30),
    Fault('syncs that take two seconds', SYNC, 'data', 0, -1, 2000),
    Fault('every fourth write takes half a second', WRITE, 'data/', 0, -1, 500, 250),
]


class Failure(Exception):
    """Something that must never be; the text says what."""


class Injector:
    def __init__(self, path, seed):
        with open(path, 'wb') as file:
            file.write(struct.pack('<Q', seed & (2**64 - 1)) + bytes(PLAN_BYTES - 8))
        with open(path, 'r+b') as file:
            self.plan = mmap.mmap(file.fileno(), PLAN_BYTES)

    def begin(self, fault):
        self.end()
        rule = RULE.pack(0, fault.error, fault.times, 0, fault.delay, fault.per_mille, fault.part.encode())
        self.plan[8:8 + RULE.size] = rule
        self.plan[8:12] = struct.pack('<I', fault.calls)

    def end(self):
        self.plan[8:12] = bytes(4)

    def hits(self):
        return RULE.unpack(self.plan[8:8 + RULE.size])[3]


class Server:
    def __init__(self, build, library, directory, seed, flags=(), enter=None):
        """`enter` is called in the server's process, before it becomes the server."""
        self.client = f'{build}/bin/jobtail'
        self.injector = Injector(f'{directory}/plan', seed)
        self.data = f'{directory}/disk/data'
        os.mkdir(f'{directory}/disk')
        environment = dict(os.environ, LD_PRELOAD=library, JOBTAIL_FAULTS_CONTROL=f'{directory}/plan',
                           JOBTAIL_FAULTS_DIRECTORY=f'{directory}/disk')
        self.log_path = f'{directory}/log'
        with open(self.log_path, 'wb') as log:
            self.process = subprocess.Popen(
                [f'{build}/bin/jobtail-demo', '--grpc-address=127.0.0.1:0', '--http-address=127.0.0.1:0',
                 f'--data-dir={self.data}', '--heartbeat=2', *flags],
                env=environment, stdout=subprocess.PIPE, stderr=log, text=True, preexec_fn=enter)
        self.grpc = self._door('grpc ')
        self.http = self._door('http http://').rstrip('/')
        threading.Thread(target=self._drain, daemon=True).start()

    def _door(self, name):
        for line in self.process.stdout:
            if line.startswith(name):
                return line[len(name):].strip()
        raise Failure(f'the server does not start: see {self.log_path}')

    def _drain(self):
        for _ in self.process.stdout:
            pass

    def ask(self, method, path, body=None, timeout=30):
        """The status and the body; status 0 where there was no answer."""
        try:
            connection = http.client.HTTPConnection(self.http, timeout=timeout)
            try:
                headers = {'Content-Type': 'application/json'} if body is not None else {}
                connection.request(method, path, json.dumps(body) if body is not None else None, headers)
                answer = connection.getresponse()
                return answer.status, answer.read()
            finally:
                connection.close()
        except (OSError, http.client.HTTPException):
            return 0, b''

    def create(self, job, **parameters):
        status, body = self.ask('POST', '/v1/runs', {'job': job, 'parameters': parameters})
        return json.loads(body)['id'] if status == 200 else None

    def state(self, run):
        status, body = self.ask('GET', f'/v1/runs/{run}')
        return json.loads(body)['state'] if status == 200 else None

    def run_client(self, *arguments, timeout=60):
        return subprocess.run([self.client, f'--server={self.grpc}', *arguments], capture_output=True, timeout=timeout,
                              check=False, stdin=subprocess.DEVNULL)

    def resident(self, figure='VmRSS'):
        """Bytes; at the largest with VmHWM."""
        with open(f'/proc/{self.process.pid}/status', encoding='ascii') as status:
            return next((int(line.split()[1]) << 10 for line in status if line.startswith(figure + ':')), 0)

    def use(self):
        """Resident bytes, descriptors without tables and write-ahead logs, threads."""
        process = f'/proc/{self.process.pid}'
        with open(f'{process}/statm', encoding='ascii') as statm:
            resident = int(statm.read().split()[1]) * mmap.PAGESIZE
        descriptors = 0
        for name in os.listdir(f'{process}/fd'):
            try:
                target = os.readlink(f'{process}/fd/{name}')
            except OSError:
                continue
            descriptors += '.sst' not in target and '.log' not in target
        return resident, descriptors, len(os.listdir(f'{process}/task'))


def check_contiguous(run, text, whole=False):
    """Holds the NDJSON of a log against its numbers; `whole`: from the first record to the result. The last record."""
    last = None
    has_result = False
    for line in text.splitlines():
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError:
            break  # the connection broke here
        record = record.get('result')
        if not record or 'sequence' not in record:
            continue
        sequence = int(record['sequence'])
        first = int(record['gap']['first']) if 'gap' in record else sequence
        if 'gap' in record and record['gap']['reason'] not in (
                'GAP_REASON_STORE_FULL', 'GAP_REASON_DROPPED', 'GAP_REASON_RETENTION'):
            raise Failure(f'run {run}: {record["gap"]}')
        if first != (1 if last is None else last + 1):
            raise Failure(f'run {run}: record {first} follows {last}')
        number = re.match(r'(?:Task #)?(\d+)', record.get('text', ''))
        if number and int(number[1]) != sequence - record['text'].startswith('Task #'):
            raise Failure(f'run {run}: record {sequence} is "{record["text"][:40]}"')
        last = sequence
        has_result = 'result' in record
    if whole and not has_result:
        raise Failure(f'run {run}: its log ends at {last}, without a result')
    return last
