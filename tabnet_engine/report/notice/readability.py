"""How hard a letter is to read, measured: length of sentences, hard words, jargon of models.

English: the grade of Flesch and Kincaid (J. P. Kincaid et al., *Derivation of New Readability Formulas for Navy
Enlisted Personnel*, Research Branch Report 8-75, 1975), 0.39 words per sentence + 11.8 syllables per word - 15.59;
a grade of at most 8 is taken for level B1, and no sentence of more than 25 words. Chinese has no such formula of
common use: the length of sentences in characters is measured. Syllables are counted by groups of vowels, which is
right for most words and not for all.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tabnet_engine.texts.speaking import say

__all__ = ["MOST_CHARACTERS", "MOST_GRADE", "MOST_WORDS", "Readability", "findings", "measured"]

MOST_GRADE = 8.0
MOST_WORDS = 25
MOST_CHARACTERS = 45
_MOST_SHOWN = 80
_JARGON = Path(__file__).with_name("jargon.json")
_SENTENCE_END = re.compile(r"[.!?](?:\s|$)|[。！？；;\n]")
_WORD = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")
_VOWELS = re.compile(r"[aeiouy]+")
_SILENT = re.compile(r"(?:[^aeiouy]e|[^aeioutdy]ed|[^aeiouysxzcgh]es)$")
_HAN = re.compile(r"[\u3400-\u9fff]|[A-Za-z0-9]+")


@dataclass(frozen=True, kw_only=True)
class Readability:
    """What was measured of a text.

    ``grade`` is the school grade of Flesch and Kincaid, None for Chinese; ``mean_length`` and ``longest`` count words
    of a sentence, characters in Chinese; ``long_sentences`` are those over the limit; ``jargon`` the words of models.
    """

    language: str
    n_sentences: int
    grade: float | None
    mean_length: float
    longest: int
    long_sentences: tuple[str, ...]
    jargon: tuple[str, ...]


def measured(text: str, language: str) -> Readability:
    """Measure a text in a language; line breaks end sentences.

    >>> measured("We are sorry. We cannot approve it.", "en").n_sentences
    2
    """
    pattern, most = (_HAN, MOST_CHARACTERS) if language == "zh" else (_WORD, MOST_WORDS)
    sentences = [part.strip() for part in _SENTENCE_END.split(text) if pattern.search(part)]
    lengths = [len(pattern.findall(sentence)) for sentence in sentences]
    mean = sum(lengths) / len(lengths) if lengths else 0.0
    return Readability(
        language=language,
        n_sentences=len(sentences),
        grade=None if language == "zh" or not lengths else _grade(sentences, mean),
        mean_length=mean,
        longest=max(lengths, default=0),
        long_sentences=tuple(one for one, n in zip(sentences, lengths, strict=True) if n > most),
        jargon=_jargon_in(text, language),
    )


def findings(readability: Readability) -> tuple[str, ...]:
    """What makes the text hard to read, one sentence each, in the reader's language; empty where it is plain."""
    found = []
    if readability.grade is not None and readability.grade > MOST_GRADE:
        found.append(
            say(
                "The letter is hard to read: school grade {grade:.1f}, and at most {most:.0f} is taken for plain "
                "words. Use shorter sentences and shorter words.",
                grade=readability.grade,
                most=MOST_GRADE,
            )
        )
    for sentence in readability.long_sentences:
        if readability.language == "zh":
            told = say("A sentence of the letter is longer than {most} characters: “{sentence}”", most=MOST_CHARACTERS,
                       sentence=_shortened(sentence))  # fmt: skip
        else:
            told = say("A sentence of the letter is longer than {most} words: “{sentence}”", most=MOST_WORDS,
                       sentence=_shortened(sentence))  # fmt: skip
        found.append(told)
    found += [
        say("The letter uses “{word}”, a word of models; say what it means to the person.", word=word)
        for word in readability.jargon
    ]
    return tuple(found)


def syllables(word: str) -> int:
    """The syllables of an English word, by its groups of vowels; at least one.

    >>> [syllables(word) for word in ("cat", "decision", "made", "approved", "little")]
    [1, 3, 1, 2, 2]
    """
    lowered = word.lower()
    n = len(_VOWELS.findall(lowered))
    if _SILENT.search(lowered) and not lowered.endswith("le"):
        n -= 1
    return max(n, 1)


def _grade(sentences: Sequence[str], mean_length: float) -> float:
    words = [word for sentence in sentences for word in _WORD.findall(sentence)]
    return 0.39 * mean_length + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def _jargon_in(text: str, language: str) -> tuple[str, ...]:
    lowered = text.lower()
    if language == "zh":
        return tuple(word for word in _jargon()[language] if word in lowered)
    return tuple(word for word in _jargon()[language] if re.search(rf"\b{re.escape(word)}s?\b", lowered))


def _shortened(sentence: str) -> str:
    flat = " ".join(sentence.split())
    return flat if len(flat) <= _MOST_SHOWN else flat[:_MOST_SHOWN] + "…"


@functools.cache
def _jargon() -> Mapping[str, Sequence[str]]:
    words: Mapping[str, Sequence[str]] = json.loads(_JARGON.read_text(encoding="utf-8"))
    return words
