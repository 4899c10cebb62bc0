"""What is measured. Every section goes through its systems in rounds, so that what disturbs the
machine disturbs all alike, and returns its part of the JSON file."""

import json
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack

from . import systems
from .figures import figure, percentile
from .processes import Missing, run, wait_until
from .refusals import Refusals

INTERVAL_MICROS = 5000  # between two lines whose latency is measured


def tell(text):
    print(text, file=sys.stderr, flush=True)


def started(bench, kinds, stack):
    """Those of the systems that are to be had, and why the others are not."""
    ready, skipped = {}, {}
    for key, kind in kinds.items():
        system = kind(bench)
        try:
            system.start()
        except Missing as missing:
            tell(f'   SKIPPED {system.label}: {missing}')
            skipped[key] = {'label': system.label, 'skipped': str(missing)}
            continue
        stack.callback(system.stop)
        ready[key] = system
    return ready, skipped


def rounds(count, systems_, measure):
    """measure(key, system) of each, over and over; the first round only warms up."""
    samples = {key: [] for key in systems_}
    for number in range(count + 1):
        for key, system in systems_.items():
            sample = measure(key, system)
            if number > 0:
                samples[key].append(sample)
    return samples


# Key: system, lines in a full run. A sample takes about a second. What is held against one another
# follows one another, here and below: what the machine gives changes from second to second.
THROUGHPUT = {
    'pipe': (systems.Pipe, 10_000_000),
    'websocketd': (systems.Websocketd, 150_000),
    'django': (systems.Django, 200_000),
    'ssh': (systems.Ssh, 3_000_000),
    'jobtail': (systems.Jobtail, 4_000_000),
    'tail_log': (systems.JobtailTailLog, 4_000_000),
    'replay': (systems.Replay, 4_000_000),
    'bare_batches': (systems.BareBatches, 5_000_000),
    'replay_tail_log': (systems.ReplayTailLog, 4_000_000),
    'bare_messages': (systems.BareMessages, 800_000),
    'run_job': (systems.JobtailRunJob, 800_000),
    'events': (systems.JobtailEvents, 800_000),
}


def throughput(bench, quick):
    """Lines a second from one job to one client, and the CPU time they take."""
    with ExitStack() as stack:
        ready, rows = started(bench, {key: kind for key, (kind, _) in THROUGHPUT.items()}, stack)

        def measure(key, system):
            count = THROUGHPUT[key][1] // (4 if quick else 1)
            sample = system.throughput(count)
            tell(f'   {system.label}: {sample.lines / sample.seconds:,.0f} lines/s')
            return sample
        for key, samples in rounds(2 if quick else 8, ready, measure).items():
            rows[key] = {
                'label': ready[key].label,
                'lines': THROUGHPUT[key][1] // (4 if quick else 1),
                'lines_per_second': figure([s.lines / s.seconds for s in samples]),
                'lost': figure([s.missing / (s.lines + s.missing) for s in samples]),
                'server_cpu_seconds_per_million': figure([s.server_cpu / s.lines * 1e6 for s in samples]),
                'client_cpu_seconds_per_million': figure([s.client_cpu / s.lines * 1e6 for s in samples]),
            }
    return {key: rows[key] for key in THROUGHPUT}


# Where the kernel puts the threads changes a latency by half.
LATENCY = {
    'pipe': systems.Pipe,
    'ssh': systems.Ssh,
    'websocketd': systems.Websocketd,
    'django': systems.Django,
    'jobtail': systems.Jobtail,
    'run_job': systems.JobtailRunJob,
    'bare': systems.BareMessages,
    'tail_log': systems.JobtailTailLog,
    'events': systems.JobtailEvents,
}


def latency(bench, quick):
    """How old a line is when it arrives, one line every 5 ms, in microseconds."""
    count = 200 if quick else 250
    with ExitStack() as stack:
        ready, rows = started(bench, LATENCY, stack)

        def measure(key, system):
            ages = system.latencies(count, INTERVAL_MICROS)
            tell(f'   {system.label}: p50 {percentile(ages, .5):.0f} µs, p99 {percentile(ages, .99):.0f} µs')
            return ages
        for key, samples in rounds(2 if quick else 16, ready, measure).items():
            every = [age for ages in samples for age in ages]
            rows[key] = {
                'label': ready[key].label,
                'lines': len(every),
                'p50_us': figure([percentile(ages, .5) for ages in samples]),
                'p99_us': figure([percentile(ages, .99) for ages in samples]),
                'p99_9_us': {'all': percentile(every, .999)},
            }
    return {key: rows[key] for key in LATENCY}


class Gate:
    """A fifo: who opens it for reading waits for who opens it for writing."""

    def __init__(self, bench):
        self.path = bench.work / 'gate'
        if not self.path.exists():
            os.mkfifo(self.path)


def crowd(bench, server, what, lines, readers, *, runs=0):
    """Lines a second that all readers of all runs get together, from the opening of the gate on."""
    connections = min(max(1, runs) * readers, 100)
    gate = Gate(bench).path
    arguments = ['measure', what, '--readers', readers, '--connections', connections, '--gate', gate]
    if runs:
        arguments += ['--runs', runs, '-p', 'lines', lines, '-p', 'gate', gate]
    result, _ = run(bench.grpc(server.address, *arguments))
    if result['least_bytes'] < lines * systems.LINE_BYTES or runs and result['least_lines'] != lines:
        raise RuntimeError(f'a reader got less than {lines} lines: {result}')
    if runs:
        run(bench.grpc(server.address, 'clear'))
    return max(1, runs) * readers * lines / result['seconds']


def fan_out(bench, quick):
    """One run, 1 to 1,000 readers, against as many bare gRPC streams of one shared buffer."""
    total = 5_000_000 if quick else 20_000_000
    with bench.start_jobtail() as jobtail, bench.start_bare() as bare:
        rows = {}
        for readers in (1, 10, 100, 1000):
            lines = min(total // readers, total // 5)

            def measure(key, server, lines=lines, readers=readers):
                if key == 'jobtail':
                    return crowd(bench, server, 'lines', lines, readers, runs=1)
                return crowd(bench, server, f'lines {lines} {systems.LINE_BYTES} {Gate(bench).path}', lines, readers)
            samples = rounds(2 if quick else 4, {'jobtail': jobtail, 'bare': bare}, measure)
            rows[str(readers)] = {'lines': lines} | {key: figure(values) for key, values in samples.items()}
            tell(f'   {readers} readers: {rows[str(readers)]["jobtail"]["median"]:,.0f} lines/s in all, '
                 f'bare gRPC {rows[str(readers)]["bare"]["median"]:,.0f}')
    return rows


def runs(bench, quick):
    """1 to 1,000 runs at once, each with a reader of its own."""
    total = 2_000_000 if quick else 8_000_000
    with bench.start_jobtail('--max-active-runs=2000') as jobtail:
        rows = {}
        for count in (1, 10, 100, 1000):
            lines = total // count // (2 if count == 1 else 1)
            samples = rounds(2 if quick else 4, {'jobtail': jobtail},
                             lambda _, server, n=count, m=lines: crowd(bench, server, 'lines', m, 1, runs=n))
            rows[str(count)] = {'lines': lines, 'jobtail': figure(samples['jobtail'])}
            tell(f'   {count} runs: {rows[str(count)]["jobtail"]["median"]:,.0f} lines/s in all')
    return rows


class Held:
    """Readers that stay while the `with` lasts."""

    def __init__(self, bench, server, what, readers, connections, *flags):
        command = bench.grpc(server.address, 'hold', what, '--readers', readers,
                             '--connections', connections, *flags)
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        if not self.process.stdout.readline():
            raise RuntimeError(f'cannot hold {readers} readers of {what}')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate()


def start_run(bench, server, job, *parameters, count=1):
    arguments = [word for pair in parameters for word in ('-p', *pair)]
    return run(bench.grpc(server.address, 'start', job, '--runs', count, *arguments))[0]['run']


def idle(bench, quick):
    """The server's memory for readers that wait, and for runs that print nothing, in bytes each."""
    readers, idle_runs = (1000, 200) if quick else (10_000, 1000)

    def growth(server, count, hold):
        before = server.memory()
        with hold():
            return (server.memory() - before) / count

    def measure(key, _):
        if key == 'bare':
            with bench.start_bare() as server:
                with Held(bench, server, f'lines 0 80 {Gate(bench).path}', 1, 1):
                    return growth(server, readers, lambda: Held(
                        bench, server, f'lines 0 80 {Gate(bench).path}', readers, 100))
        with bench.start_jobtail('--max-active-runs=2000') as server:
            waiting = start_run(bench, server, 'idle')
            with Held(bench, server, waiting, 1, 1):
                if key == 'reader':
                    return growth(server, readers, lambda: Held(bench, server, waiting, readers, 100))
                before = server.memory()
                start_run(bench, server, 'idle', count=idle_runs)
                return (server.memory() - before) / idle_runs
    samples = rounds(1 if quick else 3, dict.fromkeys(('reader', 'bare', 'run')), measure)
    for key, values in samples.items():
        tell(f'   {key}: {figure(values)["median"]:,.0f} bytes each')
    return {'readers': readers, 'runs': idle_runs} | {key: figure(values) for key, values in samples.items()}


def large_log(bench, quick):
    """The server's memory while a large log is written and a reader stalls."""
    if bench.store == 'memory':
        reason = 'the store of this server is in memory, and so would the log be'
        tell(f'   SKIPPED: {reason}')
        return {'skipped': reason}
    bytes_ = 10 ** 9 if quick else 10 ** 10
    lines = bytes_ // (systems.LINE_BYTES + 1)
    with bench.start_jobtail() as server:
        before = server.memory()
        log = start_run(bench, server, 'lines', ('lines', lines))
        start = time.monotonic()
        with Held(bench, server, log, 1, 1, '--stall'):
            def ended():
                show = [bench.jobtail, f'--server={server.address}', 'show', '--output=json', log]
                shown = json.loads(subprocess.run(show, check=True, stdout=subprocess.PIPE).stdout)
                return 'result' in shown
            wait_until(ended, 'the end of the run', 600)
        seconds = time.monotonic() - start
        result = {'bytes': bytes_, 'lines_per_second': lines / seconds, 'rss_before': before,
                  'rss_peak': server.memory('VmHWM')}
    tell(f'   {bytes_ / 1e9:g} GB: {result["rss_peak"] / 1e6:,.0f} MB at most, '
         f'{result["lines_per_second"]:,.0f} lines/s')
    return result


class Browsers:
    """Connections that follow a run as server-sent events, while the `with` lasts."""

    def __init__(self, server, log, count):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < count + 100:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 100), hard))
        request = (f'GET /v1/runs/{log}/log?follow=true HTTP/1.1\r\nHost: localhost\r\n'
                   'Accept: text/event-stream\r\n\r\n').encode()
        self.sockets = []
        for _ in range(count):
            connection = socket.create_connection(('127.0.0.1', server.http_port))
            connection.sendall(request)
            self.sockets.append(connection)
        for connection in self.sockets:
            received = b''
            while b'event: run' not in received:
                more = connection.recv(4096)
                if not more:
                    raise RuntimeError(f'instead of events the server sent {received!r}')
                received += more

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for connection in self.sockets:
            connection.close()


def browsers(bench, quick):
    """The server's memory and CPU time for readers of server-sent events that wait."""
    readers, seconds = (1000, 5) if quick else (5000, 30)

    def measure(*_):
        with bench.start_jobtail() as server:
            waiting = start_run(bench, server, 'idle')
            with Browsers(server, waiting, 1):
                before = server.memory()
                with Browsers(server, waiting, readers):
                    memory = (server.memory() - before) / readers
                    cpu = server.cpu_seconds()
                    time.sleep(seconds)
                    return memory, (server.cpu_seconds() - cpu) / seconds
    samples = rounds(1 if quick else 3, {'events': None}, measure)['events']
    result = {'readers': readers, 'memory': figure([memory for memory, _ in samples]),
              'cpu': figure([cpu for _, cpu in samples])}
    tell(f'   {readers} readers: {result["memory"]["median"]:,.0f} bytes each, '
         f'{result["cpu"]["median"]:.1%} of a core in all')
    return result


# What is in no line of the log, in the syntax that RE2 and grep -E share.
SEARCHES = {
    'literal': 'no such request',
    'expression': 'request [0-9]+ of (nobody|somebody)',
    'digits': '[0-9]{9}[a-z]',
}
ENTRY_BYTES = 90


def seconds_of(pipeline):
    """A search that finds nothing; grep's exit code says so."""
    start = time.monotonic()
    shell = subprocess.run(['sh', '-c', pipeline], stdout=subprocess.PIPE, text=True)
    if shell.returncode > 1 or shell.stdout.strip() not in ('', '0'):
        raise RuntimeError(f'exit code {shell.returncode} and {shell.stdout[:100]!r} from: {pipeline}')
    return time.monotonic() - start


def filtered_reader(bench, readers):
    """The server's memory for a reader that has searched and waits, each with a pattern of its own."""
    with bench.start_jobtail() as server:
        log = start_run(bench, server, 'entries', ('entries', 20_000), ('stays', 'true'))

        def at_rest():
            before = server.cpu_seconds()
            time.sleep(0.5)
            return server.cpu_seconds() - before < 0.05
        wait_until(at_rest, 'the end of the printing')
        with Held(bench, server, log, 1, 1, '--pattern', 'nobody [0-9]+ '):
            before = server.memory()
            with Held(bench, server, log, readers, 100, '--pattern', 'somebody [0-9]+ '):
                wait_until(at_rest, 'the end of all searches', 120)
                return (server.memory() - before) / readers


def search(bench, quick):
    """Seconds until a search of a whole log has found nothing, and the same with grep."""
    entries = 10 ** (8 if quick else 9) // ENTRY_BYTES
    readers = 500 if quick else 2000
    with bench.start_jobtail() as server:
        log = start_run(bench, server, 'entries', ('entries', entries))
        exported = bench.work / 'exported.log'
        tail = f'{bench.jobtail} --server={server.address} tail {log}'
        subprocess.run(f'{tail} > {exported}', shell=True, check=True)  # which waits for its end
        tail += ' --no-follow'
        commands = {}
        for name, pattern in SEARCHES.items():
            commands[name, 'jobtail'] = f"{tail} --grep='{pattern}'"
            commands[name, 'piped'] = f"{tail} | LC_ALL=C grep -cE '{pattern}'"
            commands[name, 'exported'] = f"LC_ALL=C grep -cE '{pattern}' {exported}"
        samples = rounds(2 if quick else 5, commands, lambda _, command: seconds_of(command))
        size = exported.stat().st_size
        exported.unlink()
    rows = {name: {way: figure(samples[name, way]) for way in ('jobtail', 'piped', 'exported')} for name in SEARCHES}
    for name, row in rows.items():
        tell(f'   {name}: {row["jobtail"]["median"]:.2f} s; tail | grep {row["piped"]["median"]:.2f} s; '
             f'grep of the exported file {row["exported"]["median"]:.2f} s')
    memory = figure([filtered_reader(bench, readers)])
    tell(f'   a filtered reader that waits: {memory["median"]:,.0f} bytes')
    return {'bytes': size, 'rows': rows, 'readers': readers, 'reader': memory}


class Crowded:
    """Firehoses and heavy searches at a server, without a pause while the `with` lasts."""
    FIREHOSES, SEARCHES = 8, 20
    SEARCHED_BYTES = 10 ** 8

    def __init__(self, bench, server):
        entries = self.SEARCHED_BYTES // ENTRY_BYTES
        log, _ = run(bench.grpc(server.address, 'tail-job', 'entries', '-p', 'entries', entries))
        self.command = [bench.jobtail, f'--server={server.address}', 'tail', log['run'], '--no-follow',
                        f'--grep={SEARCHES["expression"]}']
        self.ended = threading.Event()
        self.searches = [threading.Thread(target=self.search) for _ in range(self.SEARCHES)]
        start_run(bench, server, 'lines', ('lines', 10 ** 12), count=self.FIREHOSES)

    def search(self):
        while not self.ended.is_set():
            subprocess.run(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        for thread in self.searches:
            thread.start()
        time.sleep(1)
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.searches:
            thread.join()


def neighbours(bench, quick):
    """How old a quiet run's lines are beside a crowd in the same server, and in another one. All are in one session: otherwise
    the kernel would give the other server a share of the processors that no server can give to a part of itself. How much
    that is, is measured as well: `apart`."""
    count = 200 if quick else 250
    flags = {'interval': [], 'always': ['--sync=always']}
    places = {(sync, place): None for sync in flags for place in ('same', 'other', 'apart')}

    def measure(key, _):
        sync, place = key
        arguments = [*flags[sync], '--keep-run-bytes=200MB', '--stop-grace=0']
        with ExitStack() as stack:
            apart = place == 'apart'
            server = stack.enter_context(bench.start_jobtail(*arguments, apart=apart))
            quiet = server if place == 'same' else stack.enter_context(bench.start_jobtail(*arguments, apart=apart))
            stack.enter_context(Crowded(bench, server))
            ages = []
            for _ in range(4):
                command = bench.grpc(quiet.address, 'tail-job', 'stamps', '-p', 'count', count,
                                     '-p', 'interval_micros', INTERVAL_MICROS, '--stamped')
                ages += run(command)[0]['ages_us']
        bench.remove_data()
        tell(f'   --sync={sync}, {place} server: p50 {percentile(ages, .5):.0f} µs, p99 {percentile(ages, .99):.0f} µs')
        return ages
    rows = {}
    for (sync, place), samples in rounds(1 if quick else 4, places, measure).items():
        rows[f'{sync}_{place}'] = {'p50_us': figure([percentile(ages, .5) for ages in samples]),
                                   'p99_us': figure([percentile(ages, .99) for ages in samples])}
    return rows


TLS_THROUGHPUT = {
    'ssh': (systems.Ssh, 3_000_000),
    'jobtail_tls': (systems.JobtailTls, 4_000_000),
    'jobtail': (systems.Jobtail, 4_000_000),
    'bare_tls': (systems.BareTls, 5_000_000),
}
TLS_LATENCY = {
    'ssh': systems.Ssh,
    'jobtail_tls': systems.JobtailTls,
    'tail_log_tls': systems.JobtailTlsTailLog,
    'bare_tls': systems.BareTls,
}


def tls(bench, quick):
    """Lines a second and how old they are, over mTLS."""
    with ExitStack() as stack:
        kinds = {key: kind for key, (kind, _) in TLS_THROUGHPUT.items()} | {
            key: kind for key, kind in TLS_LATENCY.items() if key not in TLS_THROUGHPUT}
        ready, _ = started(bench, kinds, stack)

        def lines(key, system):
            sample = system.throughput(TLS_THROUGHPUT[key][1] // (4 if quick else 1))
            tell(f'   {system.label}: {sample.lines / sample.seconds:,.0f} lines/s')
            return sample.lines / sample.seconds

        def ages(key, system):
            found = system.latencies(200 if quick else 250, INTERVAL_MICROS)
            tell(f'   {system.label}: p50 {percentile(found, .5):.0f} µs')
            return percentile(found, .5)
        rows = {key: {'label': system.label} for key, system in ready.items()}
        some = {key: system for key, system in ready.items() if key in TLS_THROUGHPUT}
        for key, values in rounds(2 if quick else 8, some, lines).items():
            rows[key]['lines_per_second'] = figure(values)
        some = {key: system for key, system in ready.items() if key in TLS_LATENCY}
        for key, values in rounds(2 if quick else 8, some, ages).items():
            rows[key]['p50_us'] = figure(values)
    rows |= beside_refusals(bench, quick, ages)
    return rows


REFUSALS_PER_SECOND = 1000
REFUSED = {
    'alone': 'alone',
    'beside_refusals': 'beside refused handshakes',
    'beside_https_refusals': 'beside refused handshakes at its HTTPS door',
    'beside_refusals_elsewhere': "beside refused handshakes at another server's door",
    'beside_https_refusals_elsewhere': "beside refused handshakes at another server's HTTPS door",
}


def beside_refusals(bench, quick, ages):
    """How old a reader's lines are without, and beside, handshakes that come to nothing: at the doors of its server, and at
    those of another one, so that what they take of the machine wherever they are made can be told from what they do to who is
    served at the same door."""
    system = systems.JobtailTlsTailLogBesideOthers
    with ExitStack() as stack:
        ready, _ = started(bench, {'read': system, 'other': system}, stack)
        read, other = (ready[key].daemon for key in ('read', 'other'))
        doors = {'alone': None,
                 'beside_refusals': (read.address, 'h2'),
                 'beside_refusals_elsewhere': (other.address, 'h2'),
                 'beside_https_refusals': (f'127.0.0.1:{read.http_port}', 'http/1.1'),
                 'beside_https_refusals_elsewhere': (f'127.0.0.1:{other.http_port}', 'http/1.1')}
        rates = {door: [] for door in doors}

        def measure(key, door):
            if not door:
                return ages(key, ready['read'])
            with Refusals(*door, REFUSALS_PER_SECOND) as all_:
                age = ages(key, ready['read'])
            tell(f'   {key}: {all_.rate:,.0f} handshakes a second came to nothing, {all_.share:.0%} of them after the server had signed')
            rates[key].append(all_.rate * all_.share)
            return age
        samples = rounds(2 if quick else 8, doors, measure)
    rows = {key: {'label': f'{system.label}, {REFUSED[key]}', 'p50_us': figure(samples[key])} for key in doors}
    for key, signed in rates.items():
        if signed:
            rows[key]['signed_per_second'] = figure(signed)
    return rows


ALL = {
    'throughput': throughput,
    'latency': latency,
    'fan-out': fan_out,
    'runs': runs,
    'idle': idle,
    'browsers': browsers,
    'large-log': large_log,
    'search': search,
    'neighbours': neighbours,
    'tls': tls,
}
