"""The lab's network: one bridge in a network namespace of its own, one cable per host.

The machine itself is not on it. Whoever wants to reach a host enters the namespace with `inside`.
"""

import contextlib
import ctypes
import os
from collections.abc import Iterator

GATEWAY = "10.77.0.1"
PREFIX = 16
BRIDGE = "lab"

_CLONE_NEWNET = 0x40000000  # linux/sched.h
_libc = ctypes.CDLL(None, use_errno=True)


def address(number: int) -> str:
    """Name the address of host `number`, counted from 1."""
    return f"10.77.1.{number}"


def mac(number: int) -> str:
    """Name the hardware address of host `number`: fixed, so that nobody's ARP entry is stale after a boot."""
    return f"02:4d:00:00:00:{number:02x}"


@contextlib.contextmanager
def inside(process: int) -> Iterator[None]:
    """Put the calling thread into the network namespace of `process`, and back at the end.

    Sockets stay in the namespace where they were opened; threads and child processes start in that of
    the thread which starts them.
    """
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        there = os.open(f"/proc/{process}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter(there)
        finally:
            os.close(there)
        try:
            yield
        finally:
            _enter(here)
    finally:
        os.close(here)


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, _CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"setns: {os.strerror(number)}")
