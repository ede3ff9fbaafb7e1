"""How long a DAG takes: its longest chain, and its wall time with a number of jobs side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from heapq import heappop, heappush


@dataclass(frozen=True)
class Node:
    """What runs as one, and what must be done before."""

    seconds: float
    upstream: Sequence[str]


Dag = Mapping[str, Node]  # upstream before downstream


def longest_chain(dag: Dag) -> list[str]:
    """The nodes, first to last, that no number of jobs side by side can shorten."""
    end: dict[str, float] = {}
    before: dict[str, str | None] = {}
    for name, node in dag.items():
        before[name] = max(node.upstream, key=end.__getitem__, default=None)
        end[name] = node.seconds + end.get(before[name], 0)
    chain, name = [], max(end, key=end.__getitem__, default=None)
    while name is not None:
        chain.append(name)
        name = before[name]
    return chain[::-1]


def wall_time(dag: Dag, jobs: int) -> float:
    """Seconds with at most `jobs` nodes at once, of those that could start the one with most to follow."""
    following = dict.fromkeys(dag, 0.0)  # seconds of the longest chain that goes on from a node
    for name in reversed(dag):
        for up in dag[name].upstream:
            following[up] = max(following[up], following[name] + dag[name].seconds)
    sorter = TopologicalSorter({name: node.upstream for name, node in dag.items()})
    sorter.prepare()
    ready, running, now = [], [], 0.0
    while sorter.is_active():
        for name in sorter.get_ready():
            heappush(ready, (-following[name] - dag[name].seconds, name))
        while ready and len(running) < jobs:
            _, name = heappop(ready)
            heappush(running, (now + dag[name].seconds, name))
        now, name = heappop(running)
        sorter.done(name)
    return now
