"""Queue trainings, pretrainings and comparisons; a double click queues one job, not two."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from pages._ui import data_access, state
from pages._ui.train_settings import label_of
from tabnet_engine.errors import ConfigError, UserError
from tabnet_engine.jobs.spec import PretrainPayload, TrainPayload, WorthPayload

if TYPE_CHECKING:
    from collections.abc import Callable

    from tabnet_engine.data.schema import FeatureSchema
    from tabnet_engine.jobs.spec import JobSpec

__all__ = ["pretraining", "training", "worth"]


def training(
    dataset_id: str,
    settings: dict[str, Any],
    *,
    title: str,
    test_dataset_id: str | None = None,
    pretrained_run_id: str | None = None,
) -> str:
    """Queue a training and return its job id.

    Raises:
        UserError: a setting outside its range, named as the form names it.
    """

    def payload() -> TrainPayload:
        return TrainPayload(
            dataset_id=dataset_id,
            settings=settings,
            test_dataset_id=test_dataset_id,
            title=_titled(title),
            schema=data_access.schema(dataset_id),
            pretrained_run_id=pretrained_run_id,
        )

    return _queue(payload, lambda checked: checked.to_spec(_new_run()))


def pretraining(dataset_id: str, settings: dict[str, Any], *, title: str, ignore: tuple[str, ...]) -> str:
    """Queue a pretraining and return its job id.

    Raises:
        UserError: a setting outside its range, named as the form names it.
    """

    def payload() -> PretrainPayload:
        return PretrainPayload(
            dataset_id=dataset_id,
            settings=settings,
            ignore=ignore,
            title=_titled(title),
            schema=data_access.schema(dataset_id),
        )

    return _queue(payload, lambda checked: checked.to_spec(_new_run()))


def worth(
    run_id: str,
    dataset_id: str,
    schema: FeatureSchema,
    *,
    budgets: tuple[int, ...],
    n_seeds: int,
    settings: dict[str, Any],
    title: str,
) -> str:
    """Queue the measurement of what a pretraining was worth and return its job id.

    Raises:
        UserError: budgets or seeds that cannot be measured.
    """

    def payload() -> WorthPayload:
        return WorthPayload(
            run_id=run_id,
            dataset_id=dataset_id,
            schema=schema,
            budgets=budgets,
            n_seeds=n_seeds,
            settings=settings,
            title=_titled(title),
        )

    return _queue(payload, lambda checked: checked.to_spec())


def _titled(title: str) -> str:
    return title.strip() or "Untitled"


def _new_run() -> str:
    return data_access.workspace().new_run_folder()[0]


def _queue(make: Callable[[], Any], to_spec: Callable[[Any], JobSpec]) -> str:
    try:
        payload = make()
        job_id = _queue_once(payload, to_spec(payload))
        if data_access.queue().job(job_id).ended:  # no second click: the same work is wanted once more
            state.fresh_token("train")
            job_id = _queue_once(payload, to_spec(payload))
    except ConfigError as error:
        raise UserError(_with_labels(str(error))) from error
    return job_id


def _queue_once(payload: Any, spec: JobSpec) -> str:
    """Queue a job unless this visit queued the very same one already; other settings are another job."""
    digest = hashlib.sha256(repr(payload).encode()).hexdigest()
    return data_access.queue().submit(spec, idempotency_key=f"{state.token('train')}-{digest}")


def _with_labels(text: str) -> str:
    """A sentence about settings with the names that the forms give them."""
    return re.sub(r"\w+", lambda word: label_of(word.group()), text)
