"""How long a DAG takes: its longest chain, and its wall time with a number of jobs side by side."""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count


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
        end[name] = node.seconds + (end[before[name]] if before[name] else 0)
    chain, name = [], max(end, key=end.__getitem__, default=None)
    while name is not None:
        chain.append(name)
        name = before[name]
    return chain[::-1]


def wall_time(dag: Dag, jobs: int) -> float:
    """Seconds with at most `jobs` nodes at once, of those that could start the one with most to follow."""
    rank = _seconds_to_the_end(dag)
    waiting = {name: len(set(node.upstream)) for name, node in dag.items()}
    downstream: dict[str, list[str]] = {name: [] for name in dag}
    for name, node in dag.items():
        for up in set(node.upstream):
            downstream[up].append(name)
    order = count()  # of equal ranks, the first come
    ready = [(-rank[name], next(order), name) for name, number in waiting.items() if number == 0]
    heapq.heapify(ready)
    running: list[tuple[float, str]] = []
    now = 0.0
    while ready or running:
        while ready and len(running) < jobs:
            _, _, name = heapq.heappop(ready)
            heapq.heappush(running, (now + dag[name].seconds, name))
        now, done = heapq.heappop(running)
        for name in downstream[done]:
            waiting[name] -= 1
            if waiting[name] == 0:
                heapq.heappush(ready, (-rank[name], next(order), name))
    return now


def _seconds_to_the_end(dag: Dag) -> dict[str, float]:
    """From the start of each node to the end of the longest chain that goes on from it."""
    following = dict.fromkeys(dag, 0.0)
    for name in reversed(dag):
        total = following[name] = following[name] + dag[name].seconds
        for up in dag[name].upstream:
            following[up] = max(following[up], total)
    return following
