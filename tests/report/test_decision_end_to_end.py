"""A declined applicant of the credit sample, from the raw table to what a reader of the report sees and can repeat."""

from __future__ import annotations

import dataclasses
import io
import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pypdf
import pytest

from tabnet_engine.config import ReportConfig
from tabnet_engine.config.report import ReportKind
from tabnet_engine.config.stated import ModelFacts, Organisation
from tabnet_engine.explain.wording import signed
from tabnet_engine.report.decision.content import SECTIONS as DECISION_SECTIONS
from tabnet_engine.report.decision.content import decision_document
from tabnet_engine.report.document import Bullets, Callout, Document, Facts, Paragraph, Section, Table
from tabnet_engine.report.making import MadeReport, ReportMaker
from tabnet_engine.report.materials import Materials
from tabnet_engine.report.model.content import TITLES as MODEL_TITLES
from tabnet_engine.report.reason_codes import default_codes
from tabnet_engine.report.regulation import list_profiles, load_profile
from tabnet_engine.report.rendering.pdf import pdf_bytes
from tabnet_engine.runs.artefact import Run, load_run
from tabnet_engine.texts.speaking import LANGUAGES, say, speaking

DECLINED, APPROVED = "declined", "approved"
CUTOFF = 0.6
LEVEL = math.log(CUTOFF / (1 - CUTOFF))
TIME = "2026-03-01T09:30:00+00:00"


def _materials(run: Run, profile: str, language: str) -> Materials:
    return Materials(
        profile=load_profile(profile, language),
        organisation=Organisation(name="Bank {x} <b>"),
        facts=ModelFacts(),
        codes=default_codes(run.schema),
    )


@pytest.fixture(scope="module")
def frame(credit_csv: Path) -> pd.DataFrame:
    return pd.read_csv(credit_csv)


@pytest.fixture(scope="module")
def run(credit_run: Path) -> Run:
    return load_run(credit_run)


@pytest.fixture(scope="module")
def maker(run: Run, frame: pd.DataFrame) -> ReportMaker:
    config = ReportConfig(
        favourable=APPROVED,
        cutoff=CUTOFF,
        n_repetitions=2,
        n_counterfactuals=1,
        n_reference=20,
        time=TIME,
    )
    return ReportMaker.of(run, frame, config, _materials(run, "internal_model_risk", "en"))


@pytest.fixture(scope="module")
def declined(maker: ReportMaker, run: Run, frame: pd.DataFrame) -> list[MadeReport]:
    """Three rows that are not approved, with reasons."""
    found = (maker.make(row) for row in np.flatnonzero(_score(run, frame) < LEVEL).tolist())
    return [next(made for made in found if made.case and made.case.reasons) for _ in range(3)]


def _score(run: Run, frame: pd.DataFrame) -> np.ndarray:
    """The log-odds of approval by the network alone, as anybody who has the run computes them."""
    import torch

    table = run.encoder.transform(frame)
    network = run.network().double().eval()
    with torch.no_grad():
        logits = network(torch.from_numpy(table.numeric).double(), torch.from_numpy(table.categorical)).logits.numpy()
    classes = run.targets.of("decision")[0].classes
    if logits.shape[1] == 1:
        return logits[:, 0] if classes.index(APPROVED) == 1 else -logits[:, 0]
    return logits[:, classes.index(APPROVED)] - logits[:, classes.index(DECLINED)]


def _document(made: MadeReport, run: Run, profile: str, language: str) -> Document:
    """The decision as another profile wants it, in another language; what was computed stays."""
    assert made.case is not None
    identity = dataclasses.replace(made.document.identity, profile=profile, language=language)
    with speaking(language):
        return decision_document(made.case, identity, _materials(run, profile, language))


def _packed(text: str) -> str:
    """A text without its blanks: where a line breaks is no part of it."""
    return "".join(text.split())


def _read_from_pdf(document: Document) -> str:
    """All that a program reads out of the PDF."""
    return "".join(_packed(page.extract_text()) for page in pypdf.PdfReader(io.BytesIO(pdf_bytes(document))).pages)


def _missing_sections(document: Document, kind: ReportKind, titles: Mapping[str, str]) -> list[str]:
    """What the profile asks for and the PDF lacks: named in the contents, then in that order as headings."""
    identity = document.identity
    told, place, missing = _read_from_pdf(document), 0, []
    with speaking(identity.language):
        named = {key: _packed(say(title)) for key, title in {**titles, "integrity": "Integrity"}.items()}
    for asked in load_profile(identity.profile, identity.language).sections(kind) * 2:
        found = told.find(named[asked.key], place)
        missing += [asked.key] if found < 0 else []
        place = max(place, found)
    # What the sections say too, by how it begins: a page may end within a long text.
    begins = (_packed(text)[:20] for text in _texts(document.sections))
    return missing + [text for text in begins if text not in told]


def _texts(sections: Iterable[Section]) -> Iterator[str]:
    for block in (block for section in sections for block in section.blocks):
        if isinstance(block, Paragraph | Callout):
            yield block.text
        elif isinstance(block, Bullets):
            yield from block.items
        elif isinstance(block, Facts | Table):
            yield from itertools.chain.from_iterable(block.lines if isinstance(block, Facts) else block.rows)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("profile", list_profiles("decision"))
def test_the_pdf_of_a_decision_has_every_part_that_its_profile_asks_for(
    profile: str, language: str, declined: list[MadeReport], run: Run
):
    titles = {key: title for key, (title, _) in DECISION_SECTIONS.items()}
    assert _missing_sections(_document(declined[0], run, profile, language), "decision", titles) == []


@pytest.mark.parametrize(("profile", "language"), [("internal_model_risk", "zh"), ("eu_ai_act", "en")])
def test_the_pdf_of_a_model_report_has_every_part_that_its_profile_asks_for(
    profile: str, language: str, run: Run, frame: pd.DataFrame
):
    config = ReportConfig(kind="model", language=language, time=TIME)
    made = ReportMaker.of(run, frame, config, _materials(run, profile, language)).make()
    assert _missing_sections(made.document, "model", MODEL_TITLES) == []


def _table(document: Document, key: str, caption: str) -> list[dict[str, str]]:
    """The lines of a table of the report, each by the heads of its columns."""
    (table,) = [
        block
        for block in document.section(key).blocks
        if isinstance(block, Table) and block.caption.startswith(caption)
    ]
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def _scores_when(changes: Sequence[Mapping[str, str]], row: int, run: Run, credit_csv: Path) -> list[float]:
    """The scores of a row with some cells of the file overwritten by hand, each change in a copy of its line."""
    cells = pd.read_csv(credit_csv, dtype=str, keep_default_na=False)
    copies = [cells.iloc[[row]].assign(**change) for change in changes]
    file = io.StringIO(pd.concat([cells, *copies]).to_csv(index=False))
    return _score(run, pd.read_csv(file))[len(cells) :].tolist()


def _number(text: str) -> float:
    return float(text.replace("\N{MINUS SIGN}", "-").replace(",", ""))


def test_setting_the_named_columns_to_the_printed_reference_moves_the_score_as_the_report_says(
    declined: list[MadeReport], run: Run, credit_csv: Path
):
    flips = {"the outcome would be favourable": True, "the outcome stays not favourable": False}
    for made in declined:
        document = _document(made, run, "eu_data_subject", "en")
        assert document.identity.row is not None
        lines = _table(document, "variation", "Each principal reason set to its reference value")
        assert [line["Column"] for line in lines] == [
            line["Column"] for line in _table(document, "reasons_table", "The principal reasons against")
        ]
        moves = [{line["Column"]: line["Reference value"].replace("missing", "")} for line in lines]
        together = {column: value for move in moves for column, value in move.items()}
        before, *after, all_moved = _scores_when([{}, *moves, together], document.identity.row, run, credit_csv)
        for line, score in zip(lines, after, strict=True):
            assert line["Change of the score"] == signed(round(score - before, 9)), line
            assert _number(line["Score then"]) == pytest.approx(score, abs=0.006), line
            assert flips[line["Outcome then"]] == (score >= LEVEL), line
        (joint,) = [text for text in _texts([document.section("variation")]) if "at once, the score goes" in text]
        told = re.search(r"goes from (\S+) to (\S+): (.*)\.", joint)
        assert told is not None
        assert [_number(told[1]), _number(told[2])] == pytest.approx([before, all_moved], abs=0.006)
        assert flips[told[3]] == (all_moved >= LEVEL)


def test_the_contributions_in_the_report_lead_from_the_reference_rows_to_the_row(
    declined: list[MadeReport], run: Run, frame: pd.DataFrame
):
    made = declined[0]
    document = _document(made, run, "internal_model_risk", "en")
    lines = _table(document, "reasons_table", "Contributions of the columns")
    assert made.case is not None
    rows = list(made.case.reference.rows)
    assert document.identity.row not in rows
    scores = _score(run, frame)
    assert (scores[rows] >= LEVEL).all(), "the reference population is approved"
    beyond = np.delete(scores, rows)
    nearest = beyond[(beyond >= LEVEL) & np.isin(np.delete(np.arange(len(frame)), rows), run.splits.train)]
    assert scores[rows].max() <= nearest.min(), "and nearer to the cutoff than all other approved rows"
    total = sum(_number(line["Contribution"].split(" ")[0]) for line in lines)
    assert scores[rows].mean() + total == pytest.approx(scores[document.identity.row], abs=0.006 * len(lines))
