"""Draws the panels of the Grafana dashboard from a Prometheus that has scraped a real run.

    python3 tools/dashboard-image.py http://127.0.0.1:9090 docs/images/dashboard.png [minutes]

Needs matplotlib. Reads infra/deploy/grafana/bivouac.json: what is drawn is what Grafana would ask.
"""
import json
import math
import pathlib
import re
import sys
import time
import urllib.parse
import urllib.request

import matplotlib

matplotlib.use('Agg')
import matplotlib.dates as mdates
import matplotlib.pyplot as plt
from datetime import datetime, timezone

base, target = sys.argv[1], sys.argv[2]
minutes = float(sys.argv[3]) if len(sys.argv) > 3 else 10
root = pathlib.Path(__file__).resolve().parent.parent
dashboard = json.loads((root / 'infra/deploy/grafana/bivouac.json').read_text())
end = time.time()
start = end - minutes * 60
COLUMNS = 4
COLOURS = plt.get_cmap('tab10').colors


def asked(expr):
    query = urllib.parse.urlencode(
        {'query': expr.replace('$__rate_interval', '30s'), 'start': start, 'end': end, 'step': 5}
    )
    with urllib.request.urlopen(f'{base}/api/v1/query_range?{query}') as answer:
        return json.load(answer)['data']['result']


def legend(pattern, labels):
    return re.sub(r'{{(\w+)}}', lambda found: labels.get(found.group(1), ''), pattern)


def scaled(value, unit):
    if unit == 'bytes':
        return f'{value / 2**20:.0f} MiB'
    if unit == 's' and value != 0 and abs(value) < 1:
        return f'{value * 1000:g} ms'
    if unit == 'percentunit':
        return f'{value * 100:g} %'
    return f'{value:g}' + ({'s': ' s', 'ops': '/s', 'reqps': '/s'}.get(unit, ''))


rows = []
for panel in dashboard['panels']:
    if panel['type'] == 'row':
        rows.append((panel['title'], []))
    else:
        rows[-1][1].append(panel)
lines = sum(math.ceil(len(panels) / COLUMNS) for _, panels in rows)
figure = plt.figure(figsize=(20, 3.9 * lines), dpi=80)
grid = figure.add_gridspec(lines, COLUMNS, hspace=0.85, wspace=0.24, left=0.04, right=0.99, top=0.975, bottom=0.02)
line = 0
for title, panels in rows:
    for index, panel in enumerate(panels):
        axes = figure.add_subplot(grid[line + index // COLUMNS, index % COLUMNS])
        axes.set_title(panel['title'], fontsize=11, loc='left', fontweight='bold')
        if index == 0:
            axes.annotate(title, (0, 1.2), xycoords='axes fraction', fontsize=15, color='#1f4e79')
        unit = panel['fieldConfig']['defaults']['unit']
        drawn = 0
        for query in panel['targets']:
            for series in asked(query['expr']):
                points = [(float(at), float(value)) for at, value in series['values'] if value != 'NaN']
                if not points:
                    continue
                times = [datetime.fromtimestamp(at, timezone.utc) for at, _ in points]
                name = legend(query['legendFormat'], series['metric'])
                axes.plot(times, [v for _, v in points], label=name, color=COLOURS[drawn % 10], linewidth=1.6)
                drawn += 1
        if drawn == 0:
            axes.text(0.5, 0.5, 'nothing in this run', ha='center', va='center', transform=axes.transAxes, color='#888888')
            axes.set_xticks([])
            axes.set_yticks([])
            continue
        axes.set_xlim(datetime.fromtimestamp(start, timezone.utc), datetime.fromtimestamp(end, timezone.utc))
        low, high = axes.get_ylim()
        axes.set_ylim(0, high * 1.1 if high > 0.0001 else 1)
        axes.grid(color='#e4e4e4', linewidth=0.8)
        axes.xaxis.set_major_locator(mdates.AutoDateLocator(maxticks=5))
        axes.xaxis.set_major_formatter(mdates.DateFormatter('%H:%M'))
        axes.yaxis.set_major_formatter(lambda value, _, unit=unit: scaled(value, unit))
        axes.tick_params(labelsize=8.5)
        for side in ('top', 'right'):
            axes.spines[side].set_visible(False)
        axes.legend(fontsize=7, loc='upper left', bbox_to_anchor=(0, -0.12), ncols=3, frameon=False)
    line += math.ceil(len(panels) / COLUMNS)
figure.savefig(target)
