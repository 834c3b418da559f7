"""The exceptions: one class per kind of error, in one tree under `Error`.

Each class is also the built-in exception that people expect (`KeyError`, `ValueError`, `TimeoutError`, `OSError`, …), and
carries the stable number that C and Rust use as `code`. All of them can be pickled.
"""

from __future__ import annotations

from typing import ClassVar
from zoneinfo import ZoneInfoNotFoundError

__all__ = [
    "AlreadyExistsError",
    "BusyError",
    "CancelledError",
    "ClosedError",
    "ConflictError",
    "DamagedError",
    "Error",
    "FileMissingError",
    "ForkedHandleError",
    "InputOutputError",
    "InternalError",
    "InvalidArgumentError",
    "InvalidCalendarError",
    "InvalidEventError",
    "InvalidMappingError",
    "InvalidPolicyError",
    "InvalidRowError",
    "NewerFormatError",
    "NoDeadlineError",
    "NotADatabaseError",
    "NotFoundError",
    "OutOfRangeError",
    "PausedError",
    "QuotaExceededError",
    "ReadOnlyError",
    "StorageFullError",
    "UnknownZoneError",
    "UnsupportedError",
]


class Error(Exception):
    """Anything that slaclock reports. `str()` says what was asked, what was found and what is allowed."""

    code: ClassVar[int] = 0
    """The stable number of the kind, the same in C, Rust and Python; 0 for this base class only."""

    line: int | None = None
    """Line in the text that the error is about, from 1, if it is about a text."""

    column: int | None = None
    """Column in that line, from 1, in characters."""

    def __str__(self) -> str:
        """The message; `KeyError` alone would show it in quotes."""
        return str(self.args[0]) if len(self.args) == 1 else super().__str__()


class NotFoundError(Error, KeyError):
    """No such request, clock, consumer or policy version."""

    code = 1


class FileMissingError(NotFoundError, FileNotFoundError):
    """No such file. Opening never makes one unless told so with `create=True`."""


class OutOfRangeError(Error, ValueError):
    """An instant, span or limit lies outside the supported range."""

    code = 2


class InvalidArgumentError(Error, ValueError):
    """An argument is malformed; the message says what is allowed."""

    code = 3


class InvalidPolicyError(Error, ValueError):
    """The policy text is wrong; `line` and `column` say where."""

    code = 4


class InvalidCalendarError(Error, ValueError):
    """A calendar is wrong: overlapping hours, an unknown rule, a bad holiday file."""

    code = 5


class UnknownZoneError(Error, ZoneInfoNotFoundError):
    """The time zone name is not in the time zone data."""

    code = 6


class InvalidEventError(Error, ValueError):
    """The event cannot be recorded on this request as written."""

    code = 7


class ConflictError(Error, ValueError):
    """The same key was used before with other content."""

    code = 8


class NoDeadlineError(Error, ValueError):
    """There is no deadline; `reason` says why."""

    code = 9

    reason: str | None = None
    """`never_open`, `beyond_range`, `no_branch`, `no_target`, `no_rule` or `not_promised`."""


class PausedError(Error, ValueError):
    """The clock is paused: it has remaining time, but no due instant."""

    code = 10


class AlreadyExistsError(Error, FileExistsError):
    """`create` found something at the path."""

    code = 11


class BusyError(Error, TimeoutError):
    """Another process held the file for longer than `wait`."""

    code = 12


class ForkedHandleError(Error, RuntimeError):
    """The handle was inherited through `fork`; the child must open its own."""

    code = 13


class ClosedError(Error, RuntimeError):
    """The database is closed."""

    code = 14


class ReadOnlyError(Error, PermissionError):
    """The handle cannot write: it was opened read-only, or a write failed and it must be reopened."""

    code = 15


class DamagedError(Error, OSError):
    """The file is damaged; the message names the place."""

    code = 16


class NotADatabaseError(Error, OSError):
    """The file is not a slaclock database."""

    code = 17


class NewerFormatError(Error, OSError):
    """The file was written by a newer release."""

    code = 18


class InputOutputError(Error, OSError):
    """The operating system reported an input or output error."""

    code = 19


class StorageFullError(Error, OSError):
    """The disk or quota is full."""

    code = 20


class InvalidMappingError(Error, ValueError):
    """A mapping file is wrong; `line` and `column` say where."""

    code = 21


class InvalidRowError(Error, ValueError):
    """A row of an imported file is wrong; the message carries its line."""

    code = 22


class CancelledError(Error, RuntimeError):
    """The call was cancelled by the caller."""

    code = 23


class UnsupportedError(Error, RuntimeError):
    """The call is not possible in the mode the database was opened in."""

    code = 24


class InternalError(Error, RuntimeError):
    """A defect in slaclock itself. Please report it."""

    code = 25


class QuotaExceededError(Error, RuntimeError):
    """The customer's expedites of the month are used up; the message says when one is free again."""

    code = 26


BY_CODE: dict[int, type[Error]] = {
    kind.code: kind
    for kind in (
        NotFoundError,
        OutOfRangeError,
        InvalidArgumentError,
        InvalidPolicyError,
        InvalidCalendarError,
        UnknownZoneError,
        InvalidEventError,
        ConflictError,
        NoDeadlineError,
        PausedError,
        AlreadyExistsError,
        BusyError,
        ForkedHandleError,
        ClosedError,
        ReadOnlyError,
        DamagedError,
        NotADatabaseError,
        NewerFormatError,
        InputOutputError,
        StorageFullError,
        InvalidMappingError,
        InvalidRowError,
        CancelledError,
        UnsupportedError,
        InternalError,
        QuotaExceededError,
    )
}

# They are told, pickled and documented under the name that people import.
for _kind in (Error, FileMissingError, *BY_CODE.values()):
    _kind.__module__ = "slaclock"
