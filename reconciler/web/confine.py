"""Takes from a process what it does not need: with Linux's Landlock it opens no file from then on, not even as root.

https://docs.kernel.org/userspace-api/landlock.html; numbers are those of linux/landlock.h and of all architectures.
"""

from __future__ import annotations

import ctypes
import os

_CREATE_RULESET, _RESTRICT_SELF = 444, 446
_ASK_VERSION = 1
_NO_NEW_PRIVS = 38  # PR_SET_NO_NEW_PRIVS of linux/prctl.h
_FILES = {1: 13, 2: 14, 3: 15, 5: 16}
"""How many rights on files a version of Landlock knows, from the lowest bit on."""


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


def confine() -> str:
    """Forbid this thread, and those that it starts, to open or run any file, to make TCP connections, to send signals.

    What is open stays open. Returns why that could not be done, empty when it was.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION)
    if version < 1:
        return f"the kernel has no Landlock: {os.strerror(ctypes.get_errno())}"
    files = max(rights for since, rights in _FILES.items() if since <= version)
    wanted = _Ruleset((1 << files) - 1, 0b11 if version >= 4 else 0, 0b11 if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = libc.syscall(_CREATE_RULESET, ctypes.byref(wanted), ctypes.c_size_t(size), 0)
    if ruleset < 0:
        return f"Landlock makes no rules: {os.strerror(ctypes.get_errno())}"
    try:
        if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or libc.syscall(_RESTRICT_SELF, ruleset, 0) != 0:
            return f"Landlock does not take its rules: {os.strerror(ctypes.get_errno())}"
    finally:
        os.close(ruleset)
    return ""
