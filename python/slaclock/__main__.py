"""The command line: `python -m slaclock`, and the console script `slaclock`. It is the Rust binary's, word for word."""

from __future__ import annotations

import contextlib
import signal
import sys

from slaclock import _slaclock


def main() -> int:
    """Runs the command line that this process was started with.

    Returns the exit code: 0 nothing is late, 1 something is late or a promised share is broken, 2 an error.
    """
    # The command runs outside the interpreter, which would only notice Ctrl-C when it is over.
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _slaclock.cli(["slaclock", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
