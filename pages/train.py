"""Train: choose the settings, start a job, watch it, see how well it went."""

import streamlit as st

from pages._ui import (
    asked,
    data_access,
    guard,
    job_panel,
    job_result,
    pretrain_form,
    state,
    train_form,
    train_start,
    widgets,
)
from tabnet_engine.texts.speaking import msg, say


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
            say("No table yet"),
            say("A model learns from a table. Upload one, or take a sample."),
            page="dataset",
            label=say("Bring a table"),
        )
        return
    dataset_id = widgets.choice(say("Table"), names, asked.item("dataset", names, "table"), key="train_dataset")
    state.choose("dataset", dataset_id)
    schema, info = data_access.schema(dataset_id), data_access.workspace().dataset(dataset_id)
    if train_start.mode_choice() == train_start.PRETRAIN:
        pretrain_form.pretrain_form(info, schema)
    elif schema.targets:
        train_form.train_form(info, schema)
    else:
        no_target(dataset_id)


def no_target(dataset_id: str) -> None:
    """What to do with a table of which nothing is to be predicted yet."""
    state.current("pretrained")  # remembered until the column to predict is chosen
    widgets.empty_state(
        say("What is to be predicted?"),
        say(
            "Choose the column to predict on the tables page; the task is found from its values. Or pretrain above: "
            "that needs no target."
        ),
        page="dataset",
        label=say("Choose the column to predict"),
        dataset=dataset_id,
    )


def follow(job_id: str) -> None:
    """The job live, then its result."""
    record = job_panel.job_panel(job_id)
    if record is not None:
        job_result.result(record)
    if st.button(say("Train another model"), icon=":material/add:", key="train_another"):
        state.fresh_token("train")
        state.clear("job")
        st.rerun()


with guard.page(
    msg("Train"),
    msg("Train TabNet on a table; the training runs on its own and goes on when this page is closed."),
):
    main()
