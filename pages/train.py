"""Train: choose the settings, start a job, watch it, see how well it went."""

import streamlit as st

from pages._ui import asked, data_access, guard, job_panel, run_view, shell, state, train_form, widgets


def main() -> None:
    """Follow the job that the address names, or offer the form."""
    job_id = asked.job()
    if job_id is not None:
        follow(job_id)
        return
    job_panel.running_banner()
    names = data_access.dataset_names()
    if not names:
        widgets.empty_state(
            "No table yet",
            "A model learns from a table. Upload one, or take a sample.",
            page="dataset",
            label="Bring a table",
        )
        return
    dataset_id = widgets.choice("Table", names, asked.item("dataset", names, "table"), key="train_dataset")
    state.choose("dataset", dataset_id)
    schema = data_access.schema(dataset_id)
    if schema.target is None:
        widgets.empty_state(
            "What is to be predicted?",
            "Choose the column to predict on the tables page; the task is found from its values.",
            page="dataset",
            label="Choose the column to predict",
            dataset=dataset_id,
        )
        return
    train_form.train_form(data_access.workspace().dataset(dataset_id), schema)


def follow(job_id: str) -> None:
    """The job live, then its result."""
    record = job_panel.job_panel(job_id)
    if record is not None and record.spec.run_id not in data_access.run_names():
        widgets.info("The run that this training made was deleted, or is damaged")
    elif record is not None:
        run_id = record.spec.run_id
        state.choose("run", run_id)
        run = data_access.run(run_id)
        took = f"trained in {job_panel.time_text(run.manifest.seconds)}"
        widgets.success(f"{run.manifest.title}: {took if record.spec.kind == 'train' else 'explained anew'}")
        run_view.summary(run)
        run_view.explanation_links(run_id)
        run_view.curves(run)
        shell.link("runs", "Settings, scores and origin of this run", icon=":material/history:", run=run_id)
    if st.button("Train another model", icon=":material/add:", key="train_another"):
        state.fresh_token("train")
        state.clear("job")
        st.rerun()


with guard.page("Train", "Train TabNet on a table; the training runs on its own and goes on when this page is closed."):
    main()
