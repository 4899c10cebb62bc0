"""What is compared. Each system carries the same lines from one producer to one consumer."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .openssh import Sshd
from .processes import Daemon, GrpcDaemon, JobtailDaemon, Missing, free_port, run

LINE_BYTES = 80


@dataclass
class Sample:
    """One consumer's run. Seconds are from the first line to the last."""
    lines: int
    seconds: float
    server_cpu: float
    client_cpu: float
    missing: int


def make_certificates(folder):
    def openssl(*arguments):
        subprocess.run(['openssl', *arguments], cwd=folder, check=True, capture_output=True)
    new_key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
    openssl('req', '-x509', *new_key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '7', '-subj', '/CN=bench')
    for name, names in (('server', 'DNS:localhost,IP:127.0.0.1'), ('client', 'URI:spiffe://example.org/bench')):
        (folder / 'names').write_text(f'subjectAltName={names}\n')
        openssl('req', *new_key, '-keyout', f'{name}.key', '-out', f'{name}.csr', '-subj', f'/CN={name}')
        openssl('x509', '-req', '-in', f'{name}.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial',
                '-days', '7', '-extfile', 'names', '-out', f'{name}.pem')


class Bench:
    """Where programs are and may write, and the servers that several systems share."""

    def __init__(self, build, work, store):
        self.programs = build / 'bench'
        self.jobtail = build / 'bin/jobtail'
        self.tools = build / 'bench/tools'
        self.work = work
        self.store = store
        self._data = 0

    def program(self, name):
        return self.programs / name

    def log(self, name):
        return self.work / f'{name}.log'

    def store_arguments(self):
        """The server's flags for the store that is measured; a new folder for each server."""
        if self.store == 'memory':
            return []
        self._data += 1
        return [f'--data-dir={self.work}/data-{self._data}']

    def remove_data(self):
        for folder in self.work.glob('data-*'):
            shutil.rmtree(folder)

    def start_jobtail(self, *arguments, **options):
        addresses = ['--grpc-address=127.0.0.1:0', '--http-address=127.0.0.1:0']
        command = [self.program('bench-server'), *addresses, *self.store_arguments()]
        return JobtailDaemon([*command, *arguments], self.log('jobtail'), **options)

    def start_bare(self, tls=None):
        command = [self.program('bench-bare')]
        return GrpcDaemon(self.with_tls(command) if tls else command, self.log('bare'))

    def certificates(self):
        """A folder with a CA, and certificates of it for a server and a client."""
        folder = self.work / 'tls'
        if not folder.exists():
            folder.mkdir()
            make_certificates(folder)
        return folder

    def with_tls(self, command):
        """The command of a program that measures, with TLS."""
        return ['/usr/bin/env', f'JOBTAIL_BENCH_TLS={self.certificates()}', *command]

    def text(self, *arguments, stamped=False):
        return [self.program('bench-text'), *(['--stamped'] if stamped else []), *arguments]

    def grpc(self, address, *arguments):
        return [self.program('bench-grpc'), address, *arguments]


class System:
    """A way to carry lines. `lines(n)` and `stamps(n, micros)` give the commands of a pipeline whose
    end tells what it got; the server is `daemon`."""

    label = ''
    daemon = None

    def __init__(self, bench):
        self.bench = bench

    def start(self):
        """Raises Missing if it is not to be had here."""

    def stop(self):
        if self.daemon:
            self.daemon.stop()

    def lines(self, count):
        raise NotImplementedError

    def stamps(self, count, micros):
        raise NotImplementedError

    def after(self):
        """Cleans up between two samples."""

    def split_cpu(self, before, cpu):
        """Server's and client's CPU seconds. The program that counts text is neither."""
        parts = cpu[:-1] if len(cpu) > 1 else cpu
        return self.daemon.cpu_seconds() - before, sum(parts)

    def throughput(self, count):
        before = self.daemon.cpu_seconds() if self.daemon else 0
        result, cpu = run(*self.lines(count))
        server_cpu, client_cpu = self.split_cpu(before, cpu)
        # A system that loses nearly all lines may deliver the rest at one blow.
        result['seconds'] = max(result['seconds'], 1e-3)
        self.after()
        return Sample(result['lines'], result['seconds'], server_cpu, client_cpu, count - result['lines'])

    def latencies(self, count, micros):
        result, _ = run(*self.stamps(count, micros))
        self.after()
        return result['ages_us']


class Pipe(System):
    label = 'plain pipe'

    def lines(self, count):
        return [self.bench.program('bench-print'), 'lines', count, LINE_BYTES], self.bench.text('stdin')

    def stamps(self, count, micros):
        return ([self.bench.program('bench-print'), 'stamps', count, micros],
                self.bench.text('stdin', stamped=True))

    def split_cpu(self, before, cpu):
        return cpu[0], cpu[1]


class Ssh(System):
    label = '`ssh localhost`'

    def start(self):
        self.sshd = Sshd(self.bench.tools, self.bench.work, self.bench.log('sshd'))
        self.daemon = self.sshd.daemon

    def lines(self, count):
        return (self.sshd.command(self.bench.program('bench-print'), 'lines', count, LINE_BYTES),
                self.bench.text('stdin'))

    def stamps(self, count, micros):
        return (self.sshd.command(self.bench.program('bench-print'), 'stamps', count, micros),
                self.bench.text('stdin', stamped=True))


class Websocketd(System):
    label = 'websocketd'

    def start(self):
        if not shutil.which('websocketd'):
            raise Missing('no websocketd here; install the package of that name')
        self.port = free_port()
        script = 'IFS=+; exec "$0" $QUERY_STRING'
        self.daemon = Daemon(['websocketd', '--address=127.0.0.1', f'--port={self.port}', '--loglevel=error',
                              'sh', '-c', script, self.bench.program('bench-print')],
                             self.bench.log('websocketd'), stdout=subprocess.DEVNULL)
        self.daemon.wait_until_listening(self.port)

    def lines(self, count):
        return [self.bench.text('websocket', self.port, f'/?lines+{count}+{LINE_BYTES}')]

    def stamps(self, count, micros):
        return [self.bench.text('websocket', self.port, f'/?stamps+{count}+{micros}', stamped=True)]


class Django(System):
    label = 'Django recipe'

    def start(self):
        self.port = free_port()
        python = '/usr/bin/python3' if Path('/usr/bin/python3').exists() else sys.executable
        if subprocess.run([python, '-c', 'import django'], stderr=subprocess.DEVNULL).returncode != 0:
            raise Missing('no Django here; install python3-django')
        recipe = Path(__file__).with_name('django_recipe.py')
        self.daemon = Daemon([python, recipe, self.port], self.bench.log('django'),
                             stdout=subprocess.DEVNULL)
        self.daemon.wait_until_listening(self.port)

    def lines(self, count):
        return [self.bench.text('http', self.port, f'/lines/{count}/{LINE_BYTES}')]

    def stamps(self, count, micros):
        return [self.bench.text('http', self.port, f'/stamps/{count}/{micros}', stamped=True)]


class BareBatches(System):
    label = 'bare gRPC, ready-made batches'

    def start(self):
        self.daemon = self.bench.start_bare()

    def lines(self, count):
        return [self.bench.grpc(self.daemon.address, 'tail', f'lines {count} {LINE_BYTES}')]

    def stamps(self, count, micros):
        return [self.bench.grpc(self.daemon.address, 'tail', f'stamps {count} {micros}', '--stamped')]


class BareMessages(BareBatches):
    label = 'bare gRPC, single messages'

    def lines(self, count):
        return [self.bench.grpc(self.daemon.address, 'run-job', 'lines', '-p', 'lines', count,
                                '-p', 'bytes', LINE_BYTES)]


class BareTls(BareBatches):
    label = 'bare gRPC with mTLS, ready-made batches'

    def start(self):
        self.daemon = self.bench.start_bare(tls=self.bench.certificates())

    def lines(self, count):
        return [self.bench.with_tls(command) for command in super().lines(count)]

    def stamps(self, count, micros):
        return [self.bench.with_tls(command) for command in super().stamps(count, micros)]


class Jobtail(System):
    """Through the command, as a person uses it. `jobtail run` is `jobtail tail` of a new run."""
    label = '`jobtail run`, live'

    def start(self):
        self.daemon = self.bench.start_jobtail()

    def command(self, *arguments):
        return [self.bench.jobtail, f'--server={self.daemon.address}', *arguments]

    def lines(self, count):
        return self.command('run', 'lines', f'lines={count}'), self.bench.text('stdin')

    def stamps(self, count, micros):
        return (self.command('run', 'stamps', f'count={count}', f'interval_micros={micros}'),
                self.bench.text('stdin', stamped=True))

    def after(self):
        run(self.bench.grpc(self.daemon.address, 'clear'))


class JobtailTls(Jobtail):
    label = '`jobtail run` over mTLS, live'
    apart = True  # see Daemon

    def start(self):
        tls = self.bench.certificates()
        self.daemon = self.bench.start_jobtail(f'--tls-cert={tls}/server.pem', f'--tls-key={tls}/server.key',
                                               f'--tls-client-ca={tls}/ca.pem', apart=self.apart)

    def command(self, *arguments):
        tls = self.bench.certificates()
        return super().command(f'--tls-ca={tls}/ca.pem', f'--tls-cert={tls}/client.pem',
                               f'--tls-key={tls}/client.key', *arguments)

    def after(self):
        run(self.bench.with_tls(self.bench.grpc(self.daemon.address, 'clear')))


class JobtailTlsTailLog(JobtailTls):
    label = 'TailLog from C++ over mTLS, live'

    def stamps(self, count, micros):
        return [self.bench.with_tls(self.bench.grpc(
            self.daemon.address, 'tail-job', 'stamps', '-p', 'count', count, '-p', 'interval_micros', micros,
            '--stamped'))]


class JobtailTlsTailLogBesideOthers(JobtailTlsTailLog):
    """In the session of this program, as all that it is compared with."""
    apart = False


class JobtailTailLog(Jobtail):
    label = 'TailLog from C++, live'
    call = 'tail-job'

    def lines(self, count):
        return [self.bench.grpc(self.daemon.address, self.call, 'lines', '-p', 'lines', count)]

    def stamps(self, count, micros):
        return [self.bench.grpc(self.daemon.address, self.call, 'stamps', '-p', 'count', count,
                                '-p', 'interval_micros', micros, '--stamped')]


class JobtailRunJob(JobtailTailLog):
    label = 'RunJob from C++, live'
    call = 'run-job'


class JobtailEvents(Jobtail):
    """As a browser gets them."""
    label = 'server-sent events, live'

    def events(self, job, stamped=False, **parameters):
        request = json.dumps({'parameters': {name: str(value) for name, value in parameters.items()}})
        return [self.bench.text('events', self.daemon.http_port, job, request, stamped=stamped)]

    def lines(self, count):
        return self.events('lines', lines=count)

    def stamps(self, count, micros):
        return self.events('stamps', stamped=True, count=count, interval_micros=micros)


class Replay(Jobtail):
    """Of a run that has ended, and is made where there is none of that length yet."""
    label = '`jobtail tail`, replay'
    replayed = (0, '')

    def ended_run(self, count):
        if self.replayed[0] != count:
            made = run(self.bench.grpc(self.daemon.address, 'tail-job', 'lines', '-p', 'lines', count))
            self.replayed = (count, made[0]['run'])
        return self.replayed[1]

    def throughput(self, count):
        self.ended_run(count)
        return super().throughput(count)

    def lines(self, count):
        return self.command('tail', self.ended_run(count)), self.bench.text('stdin')

    def after(self):
        pass


class ReplayTailLog(Replay):
    label = 'TailLog from C++, replay'

    def lines(self, count):
        return [self.bench.grpc(self.daemon.address, 'tail', self.ended_run(count))]
