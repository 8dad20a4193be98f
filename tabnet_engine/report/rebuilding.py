"""A report about a row written again from its evidence: nothing in it may say more than the case does."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabnet_engine.config.stated import ConsumerScore, ModelFacts, Organisation
from tabnet_engine.report.case_reading import case_of_mapping
from tabnet_engine.report.document import Document
from tabnet_engine.report.evidence import check_entry_name
from tabnet_engine.report.materials import Materials
from tabnet_engine.report.reason_codes import codes_from_csv
from tabnet_engine.report.regulation import RegulationProfile, load_profile
from tabnet_engine.runs.parts import json_bytes
from tabnet_engine.texts.recalling import keep_words
from tabnet_engine.texts.speaking import speaking

if TYPE_CHECKING:
    from tabnet_engine.data.schema import FeatureSchema
    from tabnet_engine.report.pack_reading import Pack

__all__ = ["materials_of_pack", "places_that_differ", "rewritten"]

CODES, TEMPLATE = "reason_codes.csv", "template.txt"


def rewritten(pack: Pack, document: Document, schema: FeatureSchema) -> Document:
    """The report as it follows from the case, what people wrote and the profile that are in the pack.

    Args:
        pack: the evidence.
        document: the report in it, for its identity.
        schema: the columns of the run.

    Raises:
        UserError, KeyError, TypeError, ValueError: the pack does not hold what is needed, or no report follows.
    """
    case, materials = case_of_mapping(pack.json("case.json")), materials_of_pack(pack, document, schema)
    keep_words(schema.own_words)
    with speaking(document.language):
        if document.identity.kind == "notice":
            from tabnet_engine.report.notice.letter import notice_document

            return notice_document(case, document.identity, materials)
        from tabnet_engine.report.decision.content import decision_document

        return decision_document(case, document.identity, materials)


def materials_of_pack(pack: Pack, document: Document, schema: FeatureSchema) -> Materials:
    """What people wrote and the profile, as the pack has them."""
    return Materials(
        profile=_profile(pack, document),
        organisation=Organisation.from_mapping(pack.json("organisation.json")),
        facts=ModelFacts.from_mapping(pack.json("stated_facts.json")),
        codes=codes_from_csv(pack.files[CODES], schema.feature_names),
        consumer_score=ConsumerScore.from_mapping(pack.json("consumer_score.json")),
        template=pack.files.get(TEMPLATE, b"").decode(),
    )


def _profile(pack: Pack, document: Document) -> RegulationProfile:
    """The profile in the pack: this program may have another one by now."""
    identity = document.identity
    file = f"{identity.profile}-{identity.profile_version}.json"
    if "/" in check_entry_name(file):
        raise ValueError(f"no profile is called {file!r}")
    with tempfile.TemporaryDirectory(prefix="profile-") as folder:
        (Path(folder) / file).write_bytes(pack.files["profile.json"])
        return load_profile(identity.profile, identity.language, identity.profile_version, folder=Path(folder))


def places_that_differ(one: Document, other: Document) -> tuple[str, ...]:
    """The titles of the sections that two reports do not have alike, or the names of other parts of them."""
    mine, theirs = (_mapping(document) for document in (one, other))
    found = [name for name in mine if name != "sections" and mine[name] != theirs[name]]
    own, others = ({item["key"]: item for item in values["sections"]} for values in (mine, theirs))
    keys = [key for key in {**own, **others} if own.get(key) != others.get(key)]
    titles = [str((own.get(key) or others[key])["title"]) for key in keys]
    is_moved = not keys and mine["sections"] != theirs["sections"]
    return (*found, *titles, *(["sections"] if is_moved else []))


def _mapping(document: Document) -> dict[str, Any]:
    """As it comes back from JSON, the review apart."""
    values: dict[str, Any] = json.loads(json_bytes(dataclasses.replace(document, review=()).to_mapping()))
    return values
