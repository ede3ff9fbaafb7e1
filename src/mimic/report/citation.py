"""BibTeX of the paper and of this study's software."""

import mimic
from mimic.report import published
from mimic.report.results import Results

TITLE = "mimic: do convolutional nets need to be deep and convolutional? A reproduction that can be rerun"
SPECIAL = {ord(sign): f"\\{sign}" for sign in "&%$#_{}"}


def bibtex(results: Results) -> str:
    """Two entries: the paper, and the software at the commit and with the data that the results are of."""
    source = published.paper()["source"]
    commits = sorted({c for s in results.sidecars if (c := s.provenance.get("commit"))})
    commit = f" at commit {', '.join(commit[:12] for commit in commits)}" if commits else ""
    digest = results.data["digest"][:16]
    note = f"Study {results.parameters.study} on {results.label}{commit}; data digest {digest}"
    article = _entry(
        "inproceedings",
        "urban2017deep",
        author=source["authors"].replace(", ", " and "),
        title=f"{{{source['title']}}}",
        booktitle="5th International Conference on Learning Representations (ICLR)",
        year="2017",
        eprint=source["arxiv"].partition("v")[0],
        archiveprefix="arXiv",
    )
    software = _entry(
        "software",
        "mimic",
        author="{the mimic authors}",
        title=f"{{{TITLE}}}",
        version=mimic.__version__,
        note=note.translate(SPECIAL),
    )
    return f"{article}\n{software}"


def _entry(kind: str, key: str, **fields: str) -> str:
    width = max(map(len, fields))
    lines = [f"  {name:<{width}} = {{{value}}},\n" for name, value in fields.items()]
    return f"@{kind}{{{key},\n{''.join(lines)}}}\n"
