"""Ports for the servers that tests start."""

import contextlib
import random
import socket


def free_ports(number: int) -> list[int]:
    """Ports of the loopback that nobody listens on, below those that the kernel gives to callers.

    A daemon that starts late may find one of those taken by a connection that was opened meanwhile.
    """
    free: set[int] = set()
    while len(free) < number:
        port = random.randrange(10_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            free.add(port)
    return list(free)
