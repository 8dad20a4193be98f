"""With the run's table the whole report is made again: what the pack alone cannot contradict is found."""

from __future__ import annotations

import dataclasses
import io
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tabnet_engine.__main__ import main
from tabnet_engine.config import ReportConfig
from tabnet_engine.data.tables import read_table
from tabnet_engine.explain.groups.stored import PROXIES_PART
from tabnet_engine.explain.reasons.refinding import SENTENCES, parts_otherwise
from tabnet_engine.report import evidence, pack_checks, packed_run
from tabnet_engine.report.document import Document
from tabnet_engine.report.evidence import pack_bytes
from tabnet_engine.report.held import Held, held_in
from tabnet_engine.report.identity import case_id_of
from tabnet_engine.report.making import MadeReport, ReportMaker
from tabnet_engine.report.pack_reading import open_pack
from tabnet_engine.report.reason_codes import default_codes
from tabnet_engine.report.rebuilding import rewritten
from tabnet_engine.report.remade_parts import Again, compared_parts
from tabnet_engine.report.replay import PackVerdict, verify_pack
from tabnet_engine.runs.artefact import Run, add_part, load_run, rename_run
from tabnet_engine.runs.parts import json_bytes
from tabnet_engine.runs.run import SPLITS
from tabnet_engine.runs.workspace import Workspace
from tests.report.integrity.forging import Files, forged, in_json
from tests.report.model.model_reports import materials_of
from tests.twin import twin_run

GROUPS, FEW = "ab" * 32, "cd" * 32  # of tables that are no file


@dataclass(frozen=True, kw_only=True)
class Case:
    """A report, its pack, and all that is needed to make it again."""

    maker: ReportMaker
    made: MadeReport
    held: Held
    pack: bytes

    def verified(self, pack: bytes | None = None, **held: Any) -> PackVerdict:
        return verify_pack(open_pack(pack or self.pack), dataclasses.replace(self.held, **held))

    def compared(self, pack: bytes) -> list[str]:
        """What is said of a pack whose report was made again already, of what does not hold."""
        lines = compared_parts(open_pack(pack), Again(maker=self.maker, made=self.made), why="")
        return [line.sentence for line in lines if not line.ok]


@pytest.fixture(autouse=True, scope="module")
def undrawn() -> Iterator[None]:
    """Nothing is drawn: that is tested elsewhere, and takes most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (pack_checks, evidence):
            patch.setattr(module, "rendered_files", lambda _: {"report.pdf": b"%PDF"})
        yield


@pytest.fixture(scope="module")
def run(credit_run: Path) -> Run:
    return load_run(credit_run)


@pytest.fixture(scope="module")
def frame(credit_csv: Path) -> pd.DataFrame:
    return pd.read_csv(credit_csv)


def _case(held: Held, kind: str, profile: str, row: int | None = None, **settings: Any) -> Case:
    assert held.run is not None
    config = ReportConfig.from_mapping({"kind": kind, "time": "2026-03-01T09:30:00+00:00", **settings})
    materials = dataclasses.replace(materials_of(profile), codes=default_codes(held.run.schema))
    digest = held.table_sha256
    maker = ReportMaker.of(held.run, held.frame, config, materials, baseline=held.baseline, table_sha256=digest)
    made = maker.make(row)
    return Case(maker=maker, made=made, held=held, pack=pack_bytes(made.document, made.parts))


@pytest.fixture(scope="module")
def decision(run: Run, frame: pd.DataFrame) -> Case:
    """Of a table with a group that the model does not read, and that a column which it reads tells."""
    known = frame["debt_ratio"].fillna(0)
    table = frame.head(150).assign(**{"group <b>": np.where(known.head(150) > known.median(), "a", "b")})
    settings = {"n_repetitions": 0, "n_counterfactuals": 1, "n_reference": 10, "protected": ["group <b>"]}
    held = Held(run=run, frame=table, table_sha256=GROUPS)
    found = _case(held, "decision", "us_adverse_action", 0, favourable="approved", **settings)
    assert found.made.case is not None
    assert [link.column for link in found.made.case.protection.links if not link.is_itself] == ["debt_ratio"]
    return found


@pytest.fixture(scope="module")
def model(run: Run, frame: pd.DataFrame) -> Case:
    held = Held(run=run, frame=frame, table_sha256=run.manifest.dataset.sha256)
    return _case(held, "model", "internal_model_risk")


@pytest.fixture(scope="module")
def comparison(run: Run, frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Case:
    twin = twin_run(run, tmp_path_factory.mktemp("champion") / "twin", frame)
    held = Held(run=run, frame=frame.head(12), table_sha256=FEW, baseline=twin)
    return _case(held, "comparison", "internal_model_risk")


def test_every_kind_is_made_again_in_every_byte(decision: Case, model: Case, comparison: Case):
    for case in (decision, model, comparison):
        verdict = case.verified()
        assert (verdict.problems, verdict.unconfirmed) == ((), ())
        (told,) = [line.sentence for line in verdict.lines if line.name == "evidence"]
        assert told.endswith("the same in every byte.")


def _no_proxy(case: Case) -> Callable[[Files], None]:
    """No column tells the protected one, neither in the case nor in a report written from it."""

    def forge(files: Files) -> None:
        values = json.loads(files["case.json"])
        links = [link for link in values["protection"]["links"] if link["is_itself"]]
        values["protection"].update(links=links, offending=[])
        files["case.json"] = json_bytes(values, indent=1)
        pack = dataclasses.replace(open_pack(case.pack), files=files)
        document = rewritten(pack, case.made.document, case.maker.run.schema)
        files["document.json"] = json_bytes(document.to_mapping(), indent=1)

    return forge


def test_a_proxy_that_was_left_out_is_found_with_the_table_only(decision: Case):
    pack = forged(decision.pack, _no_proxy(decision))
    alone = decision.verified(pack, frame=None)
    assert alone.is_equal
    assert any(sentence.startswith("What only the whole table can show") for sentence in alone.unconfirmed)
    verdict = decision.verified(pack)
    (told,) = [problem for problem in verdict.problems if "case.json" in problem]
    assert told.endswith("these parts of case.json come out otherwise: protection.")
    assert not any("What only the whole table" in line.sentence for line in verdict.lines)


def test_a_report_that_was_made_without_the_table_is_made_again_without(model: Case, run: Run):
    bare = _case(Held(run=run, table_sha256=model.held.table_sha256), "model", "internal_model_risk")
    verdict = model.verified(bare.pack)
    assert verdict.problems == ()
    (told,) = verdict.unconfirmed
    assert told.startswith("The report was made without the table")


def test_rows_of_the_pack_that_would_fill_the_memory_are_a_finding(comparison: Case, monkeypatch: pytest.MonkeyPatch):
    def refuse(content: bytes) -> None:
        assert content == (comparison.maker.run.folder / SPLITS).read_bytes()
        raise MemoryError

    monkeypatch.setattr(packed_run, "refuse_bomb", refuse)
    (told,) = comparison.verified(run=None).problems
    assert told.startswith("made again: this could not be checked")


def _stronger(document: Any) -> None:
    """A better score, in the first lines of the report."""
    lines = next(block for block in document["summary"] if block["kind"] == "facts")["lines"]
    place = next(place for place, (label, _) in enumerate(lines) if "AUC" in label)
    lines[place][1] = "0.999"


def test_a_stronger_model_is_found_with_the_table(model: Case):
    pack = forged(model.pack, in_json("document.json", _stronger))
    alone = model.verified(pack, frame=None)
    assert alone.is_equal
    assert any("give the table" in sentence for sentence in alone.unconfirmed)
    assert model.verified(pack).problems == ("Made again, the report comes out otherwise: summary differ.",)


def test_what_a_run_says_of_itself_is_that_of_the_run_that_is_held(model: Case):
    other = dataclasses.replace(model.maker.run.manifest, metrics={"test": {"auc": 0.5}}, seconds=-1.0)
    problems = model.verified(run=Run(model.maker.run.folder, other), frame=None).problems
    assert any(problem.endswith("metrics, seconds differ.") for problem in problems)


def test_changed_counts_of_a_comparison_are_found_with_the_table(comparison: Case):
    def forge(files: Files) -> None:
        values = json.loads(files["comparison.json"])
        values["changed_rows"]["n_rows"] += 1
        again = dataclasses.replace(comparison.maker, comparison=values).make().document
        files["comparison.json"] = json_bytes(values, indent=1)
        files["document.json"] = json_bytes(again.to_mapping(), indent=1)

    pack = forged(comparison.pack, forge)
    assert comparison.verified(pack, baseline=None).is_equal
    told = comparison.compared(pack)
    assert any(sentence.endswith("parts of comparison.json come out otherwise: changed_rows.") for sentence in told)


def test_another_table_or_champion_is_a_finding(comparison: Case, run: Run):
    (told,) = comparison.verified(table_sha256="00").problems
    assert told.startswith("The table that was given is not the one that the report names")
    (told,) = comparison.verified(baseline=run).problems
    assert "is not the champion that the report names" in told


def test_a_run_or_champion_that_was_renamed_or_measured_since_is_told(model: Case, comparison: Case, tmp_path: Path):
    for case, part in ((model, "run"), (comparison, "baseline")):
        shutil.copytree(getattr(case.held, part).folder, tmp_path / part)
        run = rename_run(load_run(tmp_path / part), "Another {title}")
        run = add_part(run, "explanations/later.json", lambda path: path.write_text("{}") and None)
        verdict = case.verified(**{part: run})
        assert verdict.problems == ()
        assert any("measured further" in sentence for sentence in verdict.unconfirmed)
        assert any("Another {title}" in sentence for sentence in verdict.unconfirmed)


def test_a_part_that_was_measured_anew_is_named_where_the_report_cannot_be_made_without(model: Case, tmp_path: Path):
    shutil.copytree(model.maker.run.folder, tmp_path / "run")
    name = "explanations/masks.parquet"
    run = add_part(load_run(tmp_path / "run"), name, lambda path: path.write_bytes(b"other") and None)
    verdict = model.verified(run=run)
    assert any(problem.endswith(f"which may be why: {name}.") for problem in verdict.problems)
    verdict = model.verified(run=None)  # from the pack alone it would come out otherwise, and that would be no finding
    assert verdict.problems == ()
    assert any("may rest on parts of the run" in told and name in told for told in verdict.unconfirmed)


def test_last_digits_may_differ_and_nothing_else(comparison: Case, model: Case, decision: Case):
    def nudged(by: float, *, is_followed: bool) -> bytes:
        def forge(files: Files) -> None:
            values = json.loads(files["comparison.json"])
            values["metrics"][0]["first"]["value"] *= 1 + by
            files["comparison.json"] = json_bytes(values, indent=1)
            if is_followed:
                again = dataclasses.replace(comparison.maker, comparison=values).make().document
                files["document.json"] = json_bytes(again.to_mapping(), indent=1)

        return forged(comparison.pack, forge)

    assert comparison.compared(nudged(1e-9, is_followed=True)) == []
    assert any("comparison.json" in told for told in comparison.compared(nudged(1e-2, is_followed=True)))
    for pack in (comparison.pack, nudged(1e-9, is_followed=True)):  # what is within rounding excuses no other word
        title = in_json("document.json", lambda document: document.update(subtitle="All is well."))
        assert "Made again, the report comes out otherwise: subtitle differ." in comparison.compared(
            forged(pack, title)
        )

    def drawn(by: float) -> Callable[[Any], None]:
        def change(document: Any) -> None:
            blocks = [block for section in document["sections"] for block in section["blocks"]]
            chart = next(block["chart"] for block in blocks if block["kind"] == "chart" and "bars" in block["chart"])
            chart["bars"][0]["value"] *= 1 + by

        return change

    assert model.compared(forged(model.pack, in_json("document.json", drawn(1e-9)))) == []
    assert model.compared(forged(model.pack, in_json("document.json", drawn(1e-2)))) != []

    def larger(files: Files) -> None:
        files["request.json"] = files["request.json"].replace(b'"seed": 0', b'"seed": 00')

    (told,) = decision.compared(forged(decision.pack, larger))
    assert told == "Made again, these parts of the evidence come out otherwise: request.json."


def test_what_was_stated_counted_or_hashed_is_never_within_rounding(comparison: Case, decision: Case):
    def told(case: Case, part: str, change: Callable[[Any], None]) -> str:
        return next(told for told in case.compared(forged(case.pack, in_json(part, change))) if part in told)

    def setting(values: Any) -> None:
        line = next(line for line in values["settings"] if line["name"] == "learning_rate")
        line["values"][0] = str(float(line["values"][0]) * 1.005)

    def rule(values: Any) -> None:
        values["approvals"]["decisions"][0]["cutoff"] += 1e-6

    def cutoff(values: Any) -> None:
        values["decision"]["cutoff"] += 1e-6

    assert told(comparison, "comparison.json", setting).endswith("otherwise: settings.")
    assert told(comparison, "comparison.json", rule).endswith("otherwise: approvals.")
    assert told(decision, "case.json", cutoff).endswith("otherwise: decision.")
    one, other, rounded = ({"notes": [f"It is {n} of 1,000."]} for n in ("300", "301", "300.2"))
    assert parts_otherwise(one, other, rounded_in=SENTENCES) == ("notes",)
    assert parts_otherwise(one, rounded, rounded_in=SENTENCES) == ()
    assert parts_otherwise(one, rounded) == ("notes",)


def test_of_the_tables_only_attributions_may_differ_and_only_in_last_digits(decision: Case):
    def told(name: str, column: str, by: float) -> list[str]:
        def nudge(files: Files) -> None:
            table = pd.read_parquet(io.BytesIO(files[name]))
            table[column] *= 1 + by
            files[name] = table.to_parquet()

        return decision.compared(forged(decision.pack, nudge))

    assert told("attributions.parquet", "value", 1e-9) == []
    for name, column, by in (("attributions.parquet", "value", 1e-2), ("reference.parquet", "debt_ratio", 1e-9)):
        (sentence,) = told(name, column, by)
        assert sentence == f"Made again, these parts of the evidence come out otherwise: {name}."


def test_by_how_little_a_sum_misses_the_score_is_rounding_and_by_how_much_is_not(decision: Case):
    def told(missed: str) -> tuple[str, ...]:
        case = json.loads(decision.made.parts["case.json"])
        words = case["settings"]["contributions"]
        start = words.index("values and base ")
        case["settings"].update(contributions=f"{words[:start]}values and base {missed}.", additivity_error=1e-16)
        return parts_otherwise(json.loads(decision.made.parts["case.json"]), case, rounded_in=SENTENCES)

    assert told("miss the score by at most 4.4e-16") == told("add up to the score") == ()
    assert told("miss the score by at most 0.2") == ("settings",)


def test_a_workspace_has_what_is_needed(
    model: Case, credit_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    workspace = Workspace.open(tmp_path / "ws")
    folder = workspace.runs_folder / model.maker.run.run_id
    shutil.copytree(model.maker.run.folder, folder)
    workspace.add_dataset(read_table(credit_csv))
    (tmp_path / "pack.zip").write_bytes(model.pack)
    for further in (["--workspace", str(workspace.root)], ["--run", str(folder)]):
        assert main(["verify-evidence", str(tmp_path / "pack.zip"), *further]) == 0
        summary = json.loads(capsys.readouterr().out)
        assert (summary["equal"], summary["unconfirmed"]) == (True, [])
    (tmp_path / "no workspace").mkdir()
    assert main(["verify-evidence", str(tmp_path / "pack.zip"), "--workspace", str(tmp_path / "no workspace")]) == 2
    assert "there is no workspace" in capsys.readouterr().err
    assert list((tmp_path / "no workspace").iterdir()) == []
    arguments = ["verify-evidence", str(tmp_path / "pack.zip"), "--run", str(model.maker.run.folder)]
    assert main([*arguments, "--table", str(credit_csv)]) == 0
    assert json.loads(capsys.readouterr().out)["unconfirmed"] == []


def test_a_pack_that_names_no_champion_or_another_run_spares_nothing(comparison: Case, model: Case, tmp_path: Path):
    def unnamed(files: Files) -> None:
        files["comparison.json"] = b"{}"

    def named(change: Callable[[Any], None]) -> Callable[[Files], None]:
        def forge(files: Files) -> None:
            values = json.loads(files["document.json"])
            change(values["identity"])
            values["identity"]["case_id"] = case_id_of(Document.from_mapping(values).identity)
            files["document.json"] = json_bytes(Document.from_mapping(values).to_mapping(), indent=1)

        return forge

    other_run = named(lambda identity: identity.update(run_id="20200101-000000-aaaaaaaa"))
    other_table = named(lambda identity: identity["hashes"].update(table=FEW))
    workspace = Workspace.open(tmp_path)
    shutil.copytree(model.maker.run.folder, workspace.runs_folder / model.maker.run.run_id)
    pack = forged(comparison.pack, unnamed)
    held = held_in(workspace, open_pack(pack))
    assert held.run is not None
    for one in (held, Held()):
        assert any("(KeyError: 'first')" in problem for problem in verify_pack(open_pack(pack), one).problems)
    (told,) = verify_pack(open_pack(forged(model.pack, other_run))).problems
    assert told.startswith("The report is about the run '20200101-000000-aaaaaaaa'")
    (told,) = verify_pack(open_pack(forged(model.pack, other_table))).problems
    assert told.startswith("The report names another table than the one that its run learned from")


def test_what_a_report_about_a_row_read_of_the_run_is_told_where_it_changed(decision: Case, tmp_path: Path):
    shutil.copytree(decision.maker.run.folder, tmp_path / "run")
    run = add_part(load_run(tmp_path / "run"), PROXIES_PART, lambda path: path.write_text("{}") and None)
    verdict = decision.verified(run=run, frame=None)
    assert any("measured further" in sentence and PROXIES_PART in sentence for sentence in verdict.unconfirmed)
