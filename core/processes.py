"""Child processes that never outlive their parent, not even one that was killed."""

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when `parent` ends, however that happens (Linux)."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before the call above
        os.kill(os.getpid(), signal.SIGKILL)


def bind_forks() -> None:
    """Bind every process that this one, or its own forks, fork from now on to its parent."""
    parents: list[int] = []
    os.register_at_fork(
        before=lambda: parents.__setitem__(slice(None), [os.getpid()]),
        after_in_child=lambda: die_with_parent(parents[0]),
    )
