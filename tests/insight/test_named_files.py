"""Files and patterns that people name: found, or refused in words that say what was expected."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from truenorth.cli.app import app
from truenorth.insight.pattern import Evidence, Pattern, write_pattern

QUESTIONS = "questions: [{key: c, text: What is hard?, kind: challenge}]"


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, " ".join(done.output.split())


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        (gzip.compress(b"contributor,accredited,c\n", mtime=0), "gzip data"),
        (b"PK\x03\x04\xff", "a ZIP archive or an Excel workbook"),
        ("contributor,c\nÅsa,ö".encode("latin-1"), "the byte 0xc5 in line 2"),
        (None, "no such file or directory"),
    ],
)
def test_answers_that_are_no_text_are_refused_in_words(answers: bytes | None, found: str, tmp_path: Path) -> None:
    questions, path = tmp_path / "questions.yaml", tmp_path / "answers.csv"
    questions.write_text(QUESTIONS)
    if answers is not None:
        path.write_bytes(answers)
    status, words = run("insight", "practitioners", str(questions), str(path), "--json")
    problem = json.loads(words)["problems"][0]
    assert status == 1
    assert problem["path"] == str(path)
    assert problem["expected"].startswith("a CSV file of answers")
    assert problem["found"] == found


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    for name, file in (("call-backs", "one.yaml"), ("visits", "visits.yaml")):
        pattern = Pattern(name=name, kind="promises", about="", saved=date(2026, 1, 1), content=[], evidence=Evidence())
        (tmp_path / file).write_text(write_pattern(pattern))
    return tmp_path


def test_a_pattern_is_found_by_every_name_that_the_list_shows_and_by_its_path(kept: Path) -> None:
    listed = json.loads(run("pattern", "list", "--dir", str(kept), "--json")[1])
    assert [one["name"] for one in listed] == ["call-backs", "visits"]
    for one in listed:
        by_name = run("pattern", "show", one["name"], "--dir", str(kept), "--json")
        assert by_name == run("pattern", "show", one["file"], "--json")
        assert json.loads(by_name[1])["name"] == one["name"]


def test_of_two_patterns_of_one_name_none_is_taken(kept: Path) -> None:
    other = kept / "again.yaml"
    other.write_text((kept / "visits.yaml").read_text())
    status, words = run("pattern", "show", "visits", "--dir", str(kept), "--json")
    problem = json.loads(words)["problems"][0]
    assert status == 1
    assert problem["found"] == f"{other} and {kept / 'visits.yaml'}"
    assert "by its file" in problem["hint"]
    assert run("pattern", "show", str(other))[0] == 0
    listed = run("pattern", "list", "--dir", str(kept))[1]
    assert "again.yaml" in listed
    assert "one.yaml" not in listed, "a name that stands once needs no file"


def test_of_an_unknown_pattern_the_nearest_is_named(kept: Path) -> None:
    status, words = run("pattern", "show", "callbacks", "--dir", str(kept))
    assert status == 1
    assert "the name of a pattern in" in words
    assert "did you mean 'call-backs'?" in words
    assert "no such file or directory" in run("pattern", "show", "nothing/p1.yaml")[1]
    assert "did you mean 'visits'?" in run("pattern", "compare", "call-backs", "visit", "--dir", str(kept))[1]
