"""Vega, Vega-Lite and Vega-Embed as one script for pages that need no network."""

import hashlib
from contextlib import suppress
from functools import cache
from importlib.metadata import version

import vl_convert
from platformdirs import user_cache_path

from mimic.engine.state import STATE
from mimic.support.publish import write_text

SNIPPET = "window.vegaEmbed = vegaEmbed;"
FOR_DVC = STATE / "vega.js"  # where .dvc/plots/page.html looks for it


@cache
def library() -> str:
    """The script. To bundle it takes seconds: it is kept in the user's cache, by what it is made from."""
    contents = f"{version('vl-convert-python')} {SNIPPET}"
    kept = user_cache_path("mimic") / f"vega-{hashlib.md5(contents.encode()).hexdigest()}.js"
    with suppress(OSError, UnicodeDecodeError):
        return kept.read_text(encoding="utf-8")
    script = vl_convert.javascript_bundle(SNIPPET)
    with suppress(OSError):  # a home that can't be written to
        write_text(kept, script, durable=False)
    return script


def leave_for_dvc() -> None:
    """Put the script where the page of `dvc plots show` has it, which then needs no network."""
    write_text(FOR_DVC, library(), durable=False)
