"""How long a DAG takes: its longest chain, and its wall time with a number of jobs side by side.

A DAG tells of each node what must be done before; nodes stand after those that they wait for.
"""

from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter
from heapq import heappop, heappush

Dag = Mapping[str, Sequence[str]]


def longest_chain(dag: Dag, seconds: Mapping[str, float]) -> list[str]:
    """The nodes, first to last, that no number of jobs side by side can shorten."""
    end: dict[str, float] = {}
    before: dict[str, str | None] = {}
    for name, upstream in dag.items():
        before[name] = max(upstream, key=end.__getitem__, default=None)
        end[name] = seconds[name] + end.get(before[name], 0)
    chain, name = [], max(end, key=end.__getitem__, default=None)
    while name is not None:
        chain.append(name)
        name = before[name]
    return chain[::-1]


def wall_time(dag: Dag, seconds: Mapping[str, float], jobs: int) -> float:
    """Seconds with at most `jobs` nodes at once, of those that could start the one with most to follow."""
    remaining = dict(seconds)  # of the longest chain that begins with a node
    for name in reversed(dag):
        for up in dag[name]:
            remaining[up] = max(remaining[up], seconds[up] + remaining[name])
    sorter = TopologicalSorter(dag)
    sorter.prepare()
    ready, running, now = [], [], 0.0
    while sorter.is_active():
        for name in sorter.get_ready():
            heappush(ready, (-remaining[name], name))
        while ready and len(running) < jobs:
            _, name = heappop(ready)
            heappush(running, (now + seconds[name], name))
        now, name = heappop(running)
        sorter.done(name)
    return now
