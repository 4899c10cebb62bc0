"""The figures as a plot."""

import matplotlib

matplotlib.use('svg')
from matplotlib import pyplot  # noqa: E402  (after the backend is chosen)

JOBTAIL, OTHERS = '#1f6feb', '#9aa4b2'  # the colours of bars
OURS = ('jobtail', 'tail_log', 'replay', 'replay_tail_log', 'run_job')


def label(row):
    return row['label'].replace('`', '')


def errors(values):
    """How far the rounds reach below and above the medians."""
    return [[v['median'] - v['min'] for v in values], [v['max'] - v['median'] for v in values]]


def measured(rows):
    return {key: row for key, row in rows.items() if 'skipped' not in row}


def bars(axes, rows, key, title):
    rows = measured(rows)
    values = [row[key] for row in rows.values()]
    axes.barh([label(row) for row in rows.values()], [v['median'] for v in values], xerr=errors(values),
              color=[JOBTAIL if name in OURS else OTHERS for name in rows], error_kw={'linewidth': 0.8})
    axes.invert_yaxis()
    axes.set_xscale('log')
    axes.set_title(title)


def latency(axes, rows):
    bars(axes, rows, 'p50_us', 'Latency in µs: p50 (bar), p99 (mark)')
    rows = measured(rows)
    axes.plot([row['p99_us']['median'] for row in rows.values()], range(len(rows)), 'k|', markersize=9)


def curve(axes, rows, keys, title, axis):
    counts = [int(count) for count in rows]
    for key, text, colour in keys:
        values = [row[key] for row in rows.values()]
        axes.errorbar(counts, [v['median'] / 1e6 for v in values], color=colour, label=text, marker='o', markersize=4,
                      yerr=[[e / 1e6 for e in side] for side in errors(values)])
    axes.set_xscale('log')
    axes.set_ylim(bottom=0)
    axes.set_xlabel(axis)
    axes.set_title(title)
    axes.legend()


PANELS = {
    'throughput': lambda axes, rows: bars(axes, rows, 'lines_per_second', 'Lines of 80 bytes per second'),
    'latency': latency,
    'fan-out': lambda axes, rows: curve(axes, rows, [('jobtail', 'jobtail', JOBTAIL), ('bare', 'bare gRPC', OTHERS)],
                                        'Million lines per second, all readers', 'readers of one run'),
    'runs': lambda axes, rows: curve(axes, rows, [('jobtail', 'jobtail', JOBTAIL)],
                                     'Million lines per second, all runs', 'runs at once, a reader each'),
}


def draw(sections, path):
    """An SVG with a panel for each section that has one."""
    drawn = [name for name in PANELS if name in sections]
    if not drawn:
        return
    pyplot.rcParams.update({'font.size': 8, 'svg.hashsalt': 'jobtail', 'axes.spines.top': False,
                            'axes.spines.right': False})
    rows = (len(drawn) + 1) // 2
    columns = min(2, len(drawn))
    figure, grid = pyplot.subplots(rows, columns, figsize=(5.2 * columns, 3.2 * rows), squeeze=False)
    for axes in grid.flat[len(drawn):]:
        axes.axis('off')
    for axes, name in zip(grid.flat, drawn):
        PANELS[name](axes, sections[name])
    figure.tight_layout()
    figure.savefig(path, metadata={'Date': None})
