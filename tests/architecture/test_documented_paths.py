"""docs/architecture.md leads to files that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATH = re.compile(r"`((?:fastpath|control|tests|bench|ci|docs)/[\w./-]*)`")


def test_every_path_in_the_architecture_exists() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    named = set(PATH.findall(text)) | set(re.findall(r"`python ((?:ci|bench)/[\w/]+\.py)`", text))
    named |= {path for line in text.splitlines() for path in re.findall(r"(?:^|\s{2,})(control/[\w.]+/?)\s", line)}
    assert len(named) > 70
    assert sorted(path for path in named if not (ROOT / path).exists()) == []
