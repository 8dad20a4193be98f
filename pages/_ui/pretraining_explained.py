"""What the reconstructions of a pretraining rest on: measured as a job, then shown in words and charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from pages._ui import data_access, explain_widgets, job_panel, kept, measures, run_jobs, widgets
from tabnet_engine.explain.autoencoder.reading import explanation_sentences
from tabnet_engine.explain.autoencoder.shapley_results import ReconstructionTable
from tabnet_engine.explain.autoencoder.stored import PART, load_autoencoder_explanation
from tabnet_engine.figures import autoencoder as figures
from tabnet_engine.jobs.records import JobState
from tabnet_engine.jobs.spec import ExplainPayload
from tabnet_engine.texts.speaking import ENGLISH, msg, say, speaking

if TYPE_CHECKING:
    from collections.abc import Callable

    from tabnet_engine.explain.autoencoder.explanation import AutoencoderExplanation
    from tabnet_engine.explain.autoencoder.importance import ReconstructionImportance
    from tabnet_engine.explain.autoencoder.models import Floats
    from tabnet_engine.jobs.records import JobRecord
    from tabnet_engine.runs.run import Run

__all__ = ["explained_section"]

_TITLE = msg("Explain {run}")


def explained_section(run: Run) -> None:
    """The stored explanation, the job that makes it, or the button that starts one."""
    st.subheader(say("What the reconstructions rest on"), anchor=False, help=measures.help_text("cross_error"))
    found = _explanation(run)
    job = next((item for item in data_access.queue().list() if _is_mine(run, item)), None)
    if job is not None and not job.ended:
        job_panel.job_panel(job.job_id)
        return
    if job is not None and job.state is JobState.FAILED:
        told = say("The last explanation of this pretraining failed: {reason}", reason=widgets.said(job.error or ""))
        widgets.error(told)
    if found is None:
        _not_explained(run)
        return
    _shown(found)
    with st.expander(say("Explain again"), icon=":material/replay:"):
        _form(run)


def _is_mine(run: Run, job: JobRecord) -> bool:
    return job.spec.kind == "explain" and job.spec.run_id == run.run_id


def _explanation(run: Run) -> AutoencoderExplanation | None:
    return _loaded(f"{run.run_id}:{run.manifest.parts[PART]}", run) if PART in run else None


@st.cache_resource(show_spinner=False, max_entries=8)
def _loaded(digest: str, _run: Run) -> AutoencoderExplanation:  # noqa: ARG001 - the digest is the cache's key
    with speaking(ENGLISH):
        return load_autoencoder_explanation(_run)


def _not_explained(run: Run) -> None:
    with st.container(border=True, gap="small"):
        st.write(
            say(
                "Not measured yet: which columns are filled in from which others, what is lost without each of them, "
                "and what the latents know. It takes from seconds to minutes, and the page can be left meanwhile."
            )
        )
        _form(run)


def _form(run: Run) -> None:
    dataset_id = run.manifest.dataset.dataset_id
    if dataset_id is None or dataset_id not in data_access.dataset_names():
        widgets.info(say("The table of this pretraining is not in this workspace any more; add the same file again"))
        return
    left, right = st.columns(2)
    with left:
        n_rows = st.number_input(
            say("Rows"),
            50,
            100_000,
            500,
            50,
            key="reconstruction_rows",
            help=say("Drawn from those that the pretraining did not learn from. More make the intervals narrower."),
        )
    with right:
        n_shapley = st.number_input(
            say("Rows with Shapley values"),
            0,
            1_000,
            20,
            10,
            key="reconstruction_shapley",
            help=say("The dearest part: each row takes many runs of the network. 0 leaves them out."),
        )
    if st.button(say("Explain"), type="primary", icon=":material/play_arrow:", key="explain_reconstruction"):
        spec = ExplainPayload(
            run_id=run.run_id,
            settings={"n_rows": int(n_rows), "n_shapley_rows": int(n_shapley)},
            dataset_id=dataset_id,
            title=run_jobs.title(_TITLE, run.manifest.title),
        ).to_spec()
        told = say("The reconstructions are being explained; the progress is at the top of this page.")
        run_jobs.queue_once(spec, told)


def _shown(found: AutoencoderExplanation) -> None:
    explain_widgets.bullets(explanation_sentences(found))
    views: dict[str, tuple[str, Callable[[AutoencoderExplanation], None]]] = {
        "lost": (say("Without a column"), _lost),
        "filled": (say("Who fills in whom"), _filled),
    }
    if found.information is not None:
        views["latents"] = (say("Latents"), _latents)
    if found.error is not None:
        views["rows"] = (say("Errors of rows"), _rows)
    views["weights"] = (say("First weights"), _weights)
    chosen = kept.tabs("rests", say("View"), {key: words for key, (words, _) in views.items()})
    views[chosen][1](found)
    told = say("Rows: {selection}", selection=widgets.said(found.selection))
    widgets.notes(say("How it was measured"), [told, *(widgets.said(text) for text in found.left_out)])
    explain_widgets.csv_button(
        say("Download all values"), found.long_table(), name="reconstruction-explained", key="reconstruction_all_csv"
    )


def _lost(found: AutoencoderExplanation) -> None:
    chosen = kept.choice(
        "destroyed",
        say("A column is destroyed by"),
        {"permutation": say("giving every row another row's cells"), "zeroing": say("taking it away from every row")},
        help_text=measures.help_text("cross_error"),
    )
    importance = found.permutation if chosen == "permutation" else found.zeroing
    widgets.chart(
        figures.destruction_points(importance),
        key="reconstruction_lost",
        alt=say("Growth of the reconstruction error without each of {count} columns", count=len(importance.players)),
        data=lambda: importance_table(importance),
    )
    st.caption(widgets.md(widgets.said(importance.note)))


def importance_table(importance: ReconstructionImportance) -> pd.DataFrame:
    """One line for each destroyed column: the growth of its own error and of that of the others."""
    lines = {"column": list(importance.players)}
    for name, estimates in (("others", importance.cross), ("own", importance.own)):
        for part in ("value", "low", "high"):
            lines[f"{name} {part}"] = [getattr(estimate, part) for estimate in estimates]
    return pd.DataFrame(lines)


def _filled(found: AutoencoderExplanation) -> None:
    by = {"permutation": say("growth of the error when it is destroyed")}
    if found.reconstruction is not None:
        by = {"shapley": say("size of its Shapley values")} | by
    chosen = kept.choice("filled", say("Measured by"), by, help_text=measures.help_text("cross_error"))
    part = found.permutation if chosen == "permutation" or found.reconstruction is None else found.reconstruction
    values, unit = _values_of(part)
    widgets.chart(
        figures.crossing(
            part.players, part.columns, values, part.standard_error, title=say("Who fills in whom"), unit=unit
        ),
        key="reconstruction_filled",
        alt=say("What each of {count} columns does to the reconstruction of each other", count=len(part.players)),
        data=lambda: pd.DataFrame(values, columns=list(part.columns)).assign(column=part.players),
    )
    st.caption(widgets.md(widgets.said(part.note)))


def _values_of(part: ReconstructionImportance | ReconstructionTable) -> tuple[Floats, str]:
    """The values of the map and their unit."""
    if isinstance(part, ReconstructionTable):
        return part.values, say("mean size of Shapley values, in standard deviations of the column")
    return part.table, say("growth of the squared error, in variances of the column")


def _latents(found: AutoencoderExplanation) -> None:
    information = found.information
    if information is None:
        return
    widgets.chart(
        figures.latent_map(information),
        key="reconstruction_latents",
        alt=say("What each of {count} latents knows of each column", count=len(information.latents)),
        data=lambda: found.long_table()[lambda table: table["method"] == "mutual_information"],
    )
    st.caption(widgets.md(widgets.said(information.note)))


def _rows(found: AutoencoderExplanation) -> None:
    error = found.error
    if error is None:
        return
    widgets.chart(
        figures.error_bars(error),
        key="reconstruction_errors",
        alt=say("What knowing each column does to the error of {count} rows", count=len(error.rows)),
        data=lambda: found.long_table()[lambda table: table["method"] == "error_shap"],
    )
    names = {str(place): say("row {row:,}", row=int(row)) for place, row in enumerate(error.rows)}
    position = int(kept.choice("of", say("Row"), names, help_text=say("One of the rows that were explained.")))
    widgets.chart(
        figures.row_error_bars(error, position),
        key="reconstruction_row",
        alt=say("What knowing each column does to the error of row {row:,}", row=int(error.rows[position])),
        data=lambda: pd.DataFrame(
            {
                "column": error.players,
                "value": error.values[position],
                "own": error.own[position],
                "others": error.cross[position],
            }
        ),
    )
    st.caption(widgets.md(widgets.said(error.note)))


def _weights(found: AutoencoderExplanation) -> None:
    baselines = found.baselines
    widgets.chart(
        figures.weight_bars(baselines),
        key="reconstruction_weights",
        alt=say("Size of the first weights of each column"),
        data=lambda: pd.DataFrame({"column": baselines.features, "norm": baselines.weights}),
    )
    active = pd.DataFrame(
        {
            "latent": [widgets.said(name) for name in baselines.latents],
            "size": [estimate.value for estimate in baselines.activations],
            "active": [estimate.value for estimate in baselines.active],
        }
    )
    st.dataframe(
        explain_widgets.in_per_cent(active, "active").set_axis(
            [say("latent"), say("mean size"), say("active")], axis=1
        ),
        hide_index=True,
        height=widgets.table_height(len(active), 320),
        column_config={
            say("mean size"): st.column_config.NumberColumn(format="%.3g"),
            say("active"): explain_widgets.share_column(say("Share of rows in which the latent is not zero.")),
        },
    )
    st.caption(widgets.md(widgets.said(baselines.note)))
