"""A second run of the same table that decides otherwise: the first with its weights moved, explained like it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pandas as pd
import torch

from tabnet_engine.explain import store
from tabnet_engine.explain.evaluation import load_evaluation, save_evaluation
from tabnet_engine.explain.masks import iterate_masks
from tabnet_engine.explain.subject import ChosenRows, Subject
from tabnet_engine.runs.artefact import Run, save_run


def twin_run(run: Run, folder: Path, frame: pd.DataFrame, *, title: str = "Twin", noise: float = 0.3) -> Run:
    """Save a run whose weights differ by noise, with masks, SHAP values and importances of its own."""
    model = run.model()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weights in model.network.parameters():
            weights.add_(noise * weights.std(correction=0) * torch.randn(weights.shape, generator=generator))
    twin = save_run(model, folder, dataset=run.manifest.dataset, read_options=run.read_options, title=title)
    encoded = twin.encoder.transform(frame)
    rows = store.load_masks(run).rows
    subject = Subject.of_run(twin)
    twin = store.save_masks(twin, iterate_masks(subject, ChosenRows.from_table(encoded, rows)))
    values = store.load_attribution(run)
    turned = dataclasses.replace(values, values=values.values[:, ::-1], run_id=twin.run_id)
    twin = store.save_attribution(twin, turned)
    twin = store.save_importances(twin, store.load_importances(run))
    return save_evaluation(twin, load_evaluation(run))
