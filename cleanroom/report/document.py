"""The report: several answers as one Markdown page, and as JSON beside it for programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cleanroom.report.answer import Answer, read_answer
from cleanroom.report.sentence import caption, sentences
from cleanroom.report.table import headers, name_columns, rows
from cleanroom.report.wording import Wording


@dataclass(frozen=True, slots=True)
class Section:
    """One question as a person would put it, its answer as JSON, and the words for it."""

    title: str
    body: Mapping[str, Any]
    wording: Wording


def markdown(title: str, sections: Sequence[Section]) -> str:
    """The page; it is made of noisy numbers and the public law of their noise only."""
    parts = [
        f"# {title}",
        "Every number carries noise that the owner of the data added before it left the owner's node. An interval is"
        " about that noise. Each table's intervals are for one number at a time; sentences about people and sums"
        " hold all at once, which is why their ranges are wider.",
    ]
    for section in sections:
        answer = read_answer(section.body)
        parts += [
            f"## {section.title}",
            "\n".join(f"- {_escaped(sentence)}" for sentence in sentences(answer, section.wording)),
            caption(answer),
            _markdown_table(answer),
        ]
    return "\n\n".join(parts) + "\n"


def report_json(title: str, sections: Sequence[Section]) -> str:
    """The same as JSON: the answers as they came, each with its title and its sentences."""
    body = {
        "title": title,
        "sections": [
            {
                "title": section.title,
                "sentences": list(sentences(read_answer(section.body), section.wording)),
                "answer": dict(section.body),
            }
            for section in sections
        ],
    }
    return json.dumps(body, indent=2, ensure_ascii=False) + "\n"


def write_report(folder: Path, title: str, sections: Sequence[Section]) -> tuple[Path, Path]:
    """Write report.md and report.json into `folder`; returns both paths."""
    page, data = folder / "report.md", folder / "report.json"
    page.write_text(markdown(title, sections), encoding="utf-8")
    data.write_text(report_json(title, sections), encoding="utf-8")
    return page, data


def _markdown_table(answer: Answer) -> str:
    heads = headers(answer)
    rules = ["---" if place < name_columns(answer) else "---:" for place in range(len(heads))]
    lines = [heads, rules, *rows(answer)]
    return "\n".join("| " + " | ".join(_escaped(text) for text in texts) + " |" for texts in lines)


def _escaped(text: str) -> str:
    """Declared values are words of the contract and may hold anything printable."""
    return "".join(f"\\{character}" if character in "\\|`*_<[" else character for character in text)
