"""The JSON file, the tables in benchmarks.md and the verdict on the aims."""

import json

from . import plot
from .figures import ratio

BEGIN = '<!-- Written by `./dev bench`; do not edit. -->\n'
END = '<!-- End of what `./dev bench` writes. -->\n'

AT_LEAST, AT_MOST = '≥', '≤'

# Name, relation, bound, and where in the sections the two figures are: (section, row, figure).
RATIOS = [
    ('`jobtail run`, live : ssh', AT_LEAST, 1.2, 'throughput', 'jobtail', 'ssh', 'lines_per_second'),
    ('`jobtail run`, live : websocketd', AT_LEAST, 20, 'throughput', 'jobtail', 'websocketd', 'lines_per_second'),
    ('`jobtail run`, live : bare gRPC batches', AT_LEAST, 0.6, 'throughput', 'jobtail', 'bare_batches', 'lines_per_second'),
    ('replay with TailLog : bare gRPC batches', AT_LEAST, 0.9, 'throughput', 'replay_tail_log', 'bare_batches', 'lines_per_second'),
    ('RunJob : bare gRPC single messages', AT_LEAST, 0.8, 'throughput', 'run_job', 'bare_messages', 'lines_per_second'),
    ('latency p50, TailLog : bare gRPC', AT_MOST, 1.25, 'latency', 'tail_log', 'bare', 'p50_us'),
    ('latency p99, TailLog : bare gRPC', AT_MOST, 1.5, 'latency', 'tail_log', 'bare', 'p99_us'),
    ('latency p50 beside a crowd : beside a crowd in another server', AT_MOST, 1.5, 'neighbours', 'interval_same',
     'interval_other', 'p50_us'),
    ('the same, p99', AT_MOST, 1.5, 'neighbours', 'interval_same', 'interval_other', 'p99_us'),
    ('the same, p50, with `--sync=always`', AT_MOST, 2, 'neighbours', 'always_same', 'always_other', 'p50_us'),
    ('`jobtail run` over mTLS, live : ssh', AT_LEAST, 1.2, 'tls', 'jobtail_tls', 'ssh', 'lines_per_second'),
    ('latency p50 over mTLS, TailLog : bare gRPC with mTLS', AT_MOST, 1.3, 'tls', 'tail_log_tls', 'bare_tls', 'p50_us'),
    ('latency p50 over mTLS beside 1,000 handshakes a second that are refused : alone', AT_MOST, 1.5, 'tls', 'beside_refusals', 'alone',
     'p50_us'),
    ("the same : beside those at another server's door", AT_MOST, 1.25, 'tls', 'beside_refusals', 'beside_refusals_elsewhere', 'p50_us'),
    ("the same, at the HTTPS doors", AT_MOST, 1.25, 'tls', 'beside_https_refusals', 'beside_https_refusals_elsewhere', 'p50_us'),
]
IDLE_READER_BYTES = 24 * 1024
LARGE_LOG_BYTES = 250 * 10 ** 6
FILTERED_READER_BYTES = 64 * 1024
# Row of the section, its name, and how many times as fast as `jobtail tail | grep`.
SEARCHES = [
    ('literal', 'search for a literal : `jobtail tail \\| grep`', 3),
    ('expression', 'search for an expression with a literal : `jobtail tail \\| grep`', 1.5),
    ('digits', 'search for an expression without : `jobtail tail \\| grep`', 1.5),
]


def aim(name, relation, bound, value, text):
    met = value['median'] >= bound if relation == AT_LEAST else value['median'] <= bound
    return {'name': name, 'aim': f'{relation} {text(bound)}', 'value': value, 'shown': spread(value, text), 'holds': met}


def aims(measured):
    """Those whose sections were measured and whose systems were to be had."""
    found = []
    for name, relation, bound, section, one, other, key in RATIOS:
        rows = measured.get(section, {})
        if key in rows.get(one, {}) and key in rows.get(other, {}):
            found.append(aim(name, relation, bound, ratio(rows[one][key], rows[other][key]), plain))
    if 'fan-out' in measured:
        row = measured['fan-out']['100']
        found.append(aim('100 readers : 100 bare gRPC streams', AT_LEAST, 0.7, ratio(row['jobtail'], row['bare']), plain))
    if 'idle' in measured:
        found.append(aim('memory of an idle reader', AT_MOST, IDLE_READER_BYTES, measured['idle']['reader'], kilobytes))
    if 'rss_peak' in measured.get('large-log', {}):
        peak = measured['large-log']['rss_peak']
        found.append(aim('memory while a large log is written', AT_MOST, LARGE_LOG_BYTES,
                         {'median': peak, 'min': peak, 'max': peak}, megabytes))
    if 'search' in measured:
        for row, name, bound in SEARCHES:
            seconds = measured['search']['rows'][row]
            found.append(aim(name, AT_LEAST, bound, ratio(seconds['piped'], seconds['jobtail']), plain))
        found.append(aim('memory of a filtered reader that waits', AT_MOST, FILTERED_READER_BYTES,
                         measured['search']['reader'], kilobytes))
    return found


def beside(before, now):
    """The aims of two builds in one table."""
    found = {aim['name']: aim for aim in before}
    rows = [[aim['name'], aim['aim'], found[aim['name']]['shown'], aim['shown'], 'yes' if aim['holds'] else 'no']
            for aim in now if aim['name'] in found]
    return table(['', 'aim', 'before', 'now', 'holds'], rows)


def plain(value):
    return f'{value:,.0f}' if value >= 100 else f'{value:.2f}' if value < 10 else f'{value:.1f}'


def kilobytes(value):
    return f'{value / 1024:.1f} KiB'


def percent(value):
    return f'{value:.1%}'


def megabytes(value):
    return f'{value / 1e6:.0f} MB'


def thousands(value):
    return f'{value / 1e3:,.0f} k'


def spread(value, text=plain):
    if value['min'] == value['max']:
        return text(value['median'])
    return f'{text(value["median"])} ({text(value["min"])}–{text(value["max"])})'


def table(header, rows):
    lines = ['| ' + ' | '.join(header) + ' |', '|' + '---|' * len(header)]
    return '\n'.join(lines + ['| ' + ' | '.join(row) + ' |' for row in rows]) + '\n'


def skipped_row(row, columns):
    return [row['label'], f'not measured: {row["skipped"]}'] + [''] * (columns - 2)


def throughput_table(rows):
    header = ['', 'lines/s', 'lines lost', 'CPU s per million lines: server', 'client']
    body = []
    for row in rows.values():
        if 'skipped' in row:
            body.append(skipped_row(row, len(header)))
            continue
        lost = row['lost']['median']
        body.append([row['label'], spread(row['lines_per_second'], thousands), f'{lost:.0%}' if lost else 'none',
                     spread(row['server_cpu_seconds_per_million']), spread(row['client_cpu_seconds_per_million'])])
    return '### Throughput and CPU time\n\n' + table(header, body)


def latency_table(rows):
    header = ['', 'p50, µs', 'p99, µs', 'p99.9, µs']
    body = [skipped_row(row, len(header)) if 'skipped' in row else
            [row['label'], spread(row['p50_us']), spread(row['p99_us']), plain(row['p99_9_us']['all'])]
            for row in rows.values()]
    return '### Latency\n\n' + table(header, body)


def fan_out_table(rows):
    body = [[f'{int(readers):,}', f'{row["lines"]:,}', spread(row['jobtail'], thousands), spread(row['bare'], thousands),
             spread(ratio(row['jobtail'], row['bare']))] for readers, row in rows.items()]
    return '### One run, many readers\n\n' + table(
        ['readers', 'lines of the run', 'lines/s, all readers together', 'bare gRPC', 'ratio'], body)


def runs_table(rows):
    body = [[f'{int(count):,}', f'{row["lines"]:,}', spread(row['jobtail'], thousands)] for count, row in rows.items()]
    return '### Many runs at once\n\n' + table(['runs', 'lines of each', 'lines/s, all runs together'], body)


def memory_table(measured):
    body = []
    if 'idle' in measured:
        idle = measured['idle']
        body += [[f'a reader that waits, of {idle["readers"]:,}', spread(idle['reader'], kilobytes)],
                 [f'the same, bare gRPC, of {idle["readers"]:,}', spread(idle['bare'], kilobytes)],
                 [f'a run that prints nothing, of {idle["runs"]:,}', spread(idle['run'], kilobytes)]]
    if 'browsers' in measured:
        body.append([f'a browser that waits, of {measured["browsers"]["readers"]:,}',
                     spread(measured['browsers']['memory'], kilobytes)])
    large = measured.get('large-log', {})
    if 'skipped' in large:
        body.append(['the server, while a large log is written', f'not measured: {large["skipped"]}'])
    elif large:
        body.append([f'the server, at most, while a log of {large["bytes"] / 1e9:g} GB is written and a reader stalls',
                     megabytes(large['rss_peak'])])
    text = '### Memory of the server\n\n' + table(['', 'resident'], body)
    if 'browsers' in measured:
        text += (f'\nThe {measured["browsers"]["readers"]:,} browsers, with a heartbeat every 15 s each, take '
                 f'{spread(measured["browsers"]["cpu"], percent)} of a core in all.\n')
    return text


def search_table(measured):
    header = ['looked for, and not there', '`jobtail tail --grep`, s', '`jobtail tail \\| grep`, s', '`grep` of the exported file, s']
    body = [[name] + [spread(row[way]) for way in ('jobtail', 'piped', 'exported')]
            for name, row in measured['rows'].items()]
    return f'### Searching {measured["bytes"] / 1e9:.1f} GB of one run\n\n' + table(header, body)


def neighbours_table(rows):
    names = {'same': 'in the same server', 'other': 'in another server',
             'apart': 'in another server, each in a session of its own'}
    body = []
    for key, row in rows.items():
        sync, place = key.split('_')
        body.append([f'`--sync={sync}`, {names[place]}', spread(row['p50_us']), spread(row['p99_us'])])
    return ('### A quiet run beside eight firehoses and twenty searches\n\n' +
            table(['the crowd is', 'p50, µs', 'p99, µs'], body))


def tls_table(rows):
    body = [[row['label'], spread(row['lines_per_second'], thousands) if 'lines_per_second' in row else '',
             spread(row['p50_us']) if 'p50_us' in row else ''] for row in rows.values()]
    return '### With mTLS\n\n' + table(['', 'lines/s', 'p50, µs'], body)


TABLES = {'throughput': throughput_table, 'latency': latency_table, 'fan-out': fan_out_table, 'runs': runs_table, 'search': search_table,
          'neighbours': neighbours_table, 'tls': tls_table}


def origin(result):
    machine = result['machine']
    versions = ', '.join(f'{name} {version}' for name, version in result['versions'].items())
    text = (f'{result["date"]}, {machine["cores"]} cores of {machine["processor"]}, {machine["memory_gb"]} GB, '
            f'{machine["system"]}, Linux {machine["kernel"]}; store: {result["store"]}; {versions}.\n')
    if result['mode'] == 'quick':
        text += '\nA quick run: for orientation only.\n'
    return text


def figures(result):
    measured = result['sections']
    parts = [origin(result)]
    if result['aims']:
        rows = [[aim['name'], aim['aim'], aim['shown'], 'yes' if aim['holds'] else '**no**'] for aim in result['aims']]
        parts.append('### Aims\n\n' + table(['', 'aim', 'measured', 'holds'], rows))
    parts.append('![The figures as a plot](benchmarks.svg)\n')
    parts += [TABLES[name](rows) for name, rows in measured.items() if name in TABLES]
    if measured.keys() & {'idle', 'browsers', 'large-log'}:
        parts.append(memory_table(measured))
    return '\n'.join(parts)


def write(result, out, docs):
    """benchmarks.json, .svg and .md; the prose is that of docs/benchmarks.md."""
    out.mkdir(parents=True, exist_ok=True)
    (out / 'benchmarks.json').write_text(json.dumps(result, indent=1, ensure_ascii=False) + '\n')
    plot.draw(result['sections'], out / 'benchmarks.svg')
    before, _, rest = (docs / 'benchmarks.md').read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise RuntimeError(f'docs/benchmarks.md has lost its marks: {BEGIN.strip()} ... {END.strip()}')
    text = f'{BEGIN}\n{figures(result)}\n{END}'
    (out / 'benchmarks.md').write_text(before + text + after)
    print(text)
