"""slaclock: an embedded database library for promises to customers.

A `Policy` is the written agreement; its clocks give deadlines without any file. A `Calendar` answers questions about working
time.

Instants are aware `datetime`s, in the zone of the agreement on the way out; a naive one is refused, and a fraction of a
second is floored. Spans are `timedelta`s. Supported are 1970-01-01 up to, not including, 2100-01-01.

Every object may be used by several threads at once; the interpreter is released while the library works. Exceptions form a
tree under `slaclock.Error`.
"""

from slaclock import _errors, _types
from slaclock._errors import *  # noqa: F403
from slaclock._slaclock import (
    NO_DEADLINE,
    Calendar,
    Column,
    Db,
    Feed,
    Notices,
    Policy,
    Table,
    __version__,
    create,
    in_memory,
    open,
)
from slaclock._types import *  # noqa: F403

__all__ = [
    "NO_DEADLINE",
    "Calendar",
    "Column",
    "Db",
    "Feed",
    "Notices",
    "Policy",
    "Table",
    "__version__",
    "create",
    "in_memory",
    "open",
]
__all__ += _errors.__all__
__all__ += _types.__all__
