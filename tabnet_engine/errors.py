"""The tree of exceptions, split by who is at fault.

Pages and the command line catch :class:`UserError` and :class:`StorageError` and show their text as
it is. Anything else is a defect of ours and is allowed to fail loudly.
"""

from __future__ import annotations

__all__ = [
    "ConfigError",
    "DamagedRunError",
    "EngineError",
    "ExplanationError",
    "JobCancelledError",
    "JobError",
    "ReportError",
    "SchemaError",
    "StorageError",
    "TableError",
    "UserError",
]


class EngineError(Exception):
    """Root of every exception that this package raises on purpose."""


class UserError(EngineError):
    """The user's mistake: one sentence that says what was wrong, where, and what to do."""


class TableError(UserError):
    """A file that cannot be read as a table, or a table beyond the limits."""


class SchemaError(UserError):
    """Columns, kinds, roles or targets that do not fit the table or the run."""


class ConfigError(UserError):
    """A setting outside its range, or a setting that does not exist."""


class ExplanationError(UserError):
    """A request for an explanation that cannot be met as asked."""


class ReportError(UserError):
    """A report that cannot be made, changed or verified as asked."""


class JobError(UserError):
    """A job that does not exist or is not in a state that allows the request."""


class StorageError(EngineError):
    """The system's fault: a full disk, a missing permission, a file that vanished."""


class DamagedRunError(StorageError):
    """A run folder whose parts do not match its manifest; the text names the damaged part."""


class JobCancelledError(EngineError):
    """Raised inside long work when the user asked to cancel; never shown as a failure."""
