"""What kinds, roles and tasks are called."""

from __future__ import annotations

from tabnet_engine.data.schema import KIND_NAMES, Kind, Role, Task
from tabnet_engine.texts.speaking import msg, say

__all__ = ["ROLES", "kind", "role", "task"]

ROLES = {
    Role.FEATURE: msg("feature"),
    Role.IGNORED: msg("ignored"),
    Role.ROW_ID: msg("row id"),
    Role.TARGET: msg("target"),
}
_TASKS = {
    Task.BINARY: msg("binary"),
    Task.MULTICLASS: msg("multiclass"),
    Task.REGRESSION: msg("regression"),
    Task.MULTITASK: msg("several targets"),
    Task.PRETRAINING: msg("pretraining"),
}


def kind(value: Kind | str) -> str:
    """What a kind is called."""
    return say(KIND_NAMES[Kind(value)])


def role(value: Role) -> str:
    """What a role is called."""
    return say(ROLES[value])


def task(value: Task) -> str:
    """What a task is called."""
    return say(_TASKS[value])
