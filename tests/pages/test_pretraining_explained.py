"""What a pretraining's reconstructions rest on: asked for as a job, measured by it, said and drawn on the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tabnet_engine.explain.autoencoder.explanation import AutoencoderExplanation
from tabnet_engine.explain.autoencoder.reading import explanation_sentences
from tabnet_engine.explain.autoencoder.stored import load_autoencoder_explanation
from tabnet_engine.jobs import worker
from tabnet_engine.jobs.queue import JobQueue
from tabnet_engine.jobs.spec import ExplainPayload
from tabnet_engine.jobs.tasks import TASKS
from tabnet_engine.runs.workspace import Workspace
from tests.pages.conftest import Stored, checked, texts
from tests.pages.explained import figures
from tests.pages.pretrained import install_pretraining

Open = Callable[..., AppTest]
pytestmark = pytest.mark.usefixtures("no_process")
LITTLE = {"n_rows": 12, "n_shapley_rows": 2, "n_background": 2, "n_repeats": 2, "n_evaluations": 10}


@pytest.fixture
def pretrained(workspace_root: Path) -> Stored:
    return install_pretraining(workspace_root)


@pytest.fixture
def explained(pretrained: Stored, space: Workspace) -> AutoencoderExplanation:
    """Explained by the job, as the page queues it."""
    queue, seen = JobQueue(space), []
    payload = ExplainPayload(run_id=pretrained.run_id, settings=LITTLE, dataset_id=pretrained.dataset_id, title="x")
    job_id = queue.submit(payload.to_spec())
    claim = queue.claim(job_id)
    worker.run_job(queue, claim, TASKS)
    record = queue.job(job_id)
    assert record.state == "succeeded", record.error
    seen.append(record.progress.fraction)
    assert 0.5 < seen[-1] <= 1.0
    return load_autoencoder_explanation(space.run(pretrained.run_id))


def titles(app: AppTest) -> str:
    return " ".join(figure["layout"]["title"]["text"] for figure in figures(app).values())


def test_an_explanation_is_asked_for_with_its_size(open_page: Open, pretrained: Stored, space: Workspace) -> None:
    app = open_page("runs", run=pretrained.run_id)
    assert "Not measured yet" in texts(app)
    next(item for item in app.number_input if item.label == "Rows with Shapley values").set_value(0)
    next(button for button in app.button if button.label == "Explain").click()
    checked(app.run())
    (job,) = JobQueue(space).list()
    assert (job.spec.kind, job.spec.run_id) == ("explain", pretrained.run_id)
    assert ExplainPayload.of(job.spec).settings == {"n_rows": 500, "n_shapley_rows": 0}
    assert "Stop" in {button.label for button in app.button}


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("lost", "What the reconstruction loses without a column"),
        ("filled", "Who fills in whom"),
        ("rows", "What knowing a column does to the error"),
        ("weights", "Size of the first weights"),
    ],
)
def test_what_was_measured_is_said_and_each_part_drawn(
    open_page: Open, pretrained: Stored, explained: AutoencoderExplanation, part: str, found: str
) -> None:
    app = open_page("runs", run=pretrained.run_id, rests=part)
    said = texts(app).replace("\\", "")
    for sentence in explanation_sentences(explained):
        assert sentence in said
    assert found in titles(app).replace("<br>", " ")
    assert "fewer than 50" in said  # why there are no latents to see
    assert "Latents" not in said
