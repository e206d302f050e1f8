"""Becomes a supervised program: `python -I -S child.py SUPERVISOR_PID SIGNAL USER PIPE_FD PROGRAM ARG...`.

Run as a file and with the standard library only: it must start fast and before any package is readable for USER.
It gives up root when USER is not empty, ties itself to the supervisor's life, and turns into PROGRAM, keeping its
process id. When the supervisor dies, the program gets SIGNAL.
"""

import ctypes
import os
import pwd
import select
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    supervisor, ending, user, pipe = int(arguments[0]), int(arguments[1]), arguments[2], int(arguments[3])
    if user:
        _become(user)
    if sys.platform == "linux":
        # After the change of user: the kernel forgets the wish when the credentials change.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, ending)
        os.close(pipe)
    else:
        _leave_watcher(pipe, ending=ending)
    if os.getppid() != supervisor:
        sys.exit(1)
    for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    os.execv(arguments[4], arguments[4:])  # noqa: S606


def _become(user: str) -> None:
    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def _leave_watcher(pipe: int, *, ending: int) -> None:
    """Leave a process behind that reads the supervisor's pipe: its end means that the supervisor is gone."""
    program = os.getpid()
    if os.fork():
        os.close(pipe)
        return
    while os.getppid() == program:
        if select.select([pipe], [], [], 0.5)[0]:
            os.kill(program, ending)
            break
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
