"""What came of a job that ended well: the trained model, the pretraining, or the comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages._ui import data_access, job_panel, pretraining_view, run_view, shell, state, widgets
from tabnet_engine.texts.speaking import msg, say

if TYPE_CHECKING:
    from tabnet_engine.jobs.records import JobRecord

__all__ = ["result"]

_DONE = {
    "explain": msg("{title}: explained anew"),
    "worth": msg("{title}: the worth of this pretraining was measured"),
    "certify": msg("{title}: the trust in its explanations was measured"),
    "audit": msg("{title}: its groups were compared"),
    "compare": msg("{title}: compared with another run"),
    "report": msg("{title}: made"),
    "pretrain": msg("{title}: pretrained in {time}"),
    "train": msg("{title}: trained in {time}"),
}


def result(record: JobRecord) -> None:
    """Show the run that a job made or worked on."""
    run_id = record.spec.run_id
    if run_id not in data_access.all_run_names():
        widgets.info(say("The run that this training made was deleted, or is damaged"))
        return
    run = data_access.run(run_id)
    time = job_panel.time_text(run.manifest.seconds)
    widgets.success(say(_DONE[record.spec.kind], title=run.manifest.title, time=time))
    if record.spec.kind == "report":
        shell.link("report", say("Reports of this run"), icon=":material/description:", run=run_id)
        return
    if run.is_pretraining:
        pretraining_view.next_step(run)
        pretraining_view.details(run)
    else:
        state.choose("run", run_id)
        run_view.summary(run)
        run_view.explanation_links(run_id)
        run_view.curves(run)
    shell.link("runs", say("Settings, scores and origin of this run"), icon=":material/history:", run=run_id)
