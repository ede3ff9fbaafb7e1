"""`mimic use`: make a preset the study at hand."""

import io
from pathlib import Path

from ruamel.yaml import YAML, YAMLError

from mimic.core import publish
from mimic.core.errors import MimicError
from mimic.core.reading import check_parameters, read_yaml

PRESETS = Path("presets")


def run(options) -> None:
    """Write params.yaml from a preset with some values replaced; comments are kept.

    Raises MimicError when the preset or a key is unknown, or when params.yaml holds changes that no
    preset holds and --force isn't given.
    """
    preset = Path(options.preset)
    if not preset.suffix:
        preset = PRESETS / f"{options.preset}.yaml"
    if not preset.is_file():
        known = ", ".join(sorted(path.stem for path in PRESETS.glob("*.yaml")))
        raise MimicError(f"{options.preset}: no such preset; there are {known}")
    if options.params.exists() and not options.force and not _is_preset(options.params):
        raise MimicError(f"{options.params}: holds changes of your own; save it elsewhere, or add --force")
    text = preset.read_text(encoding="utf-8")
    for assignment in options.set:
        text = _replaced(text, assignment)
    check_parameters(_load(text, preset), preset)
    publish.write_text(options.params, text)
    print(f"{options.params}: study {_load(text, preset)['study']}, from {preset}")


def _load(text: str, origin: Path) -> object:
    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise MimicError(f"{origin}: not valid YAML: {error}") from None


def _is_preset(params: Path) -> bool:
    """Whether `params` is a preset, but for the place of its data."""

    def content(path: Path) -> object:
        value = read_yaml(path)
        if isinstance(value, dict) and isinstance(value.get("data"), dict):
            value["data"].pop("path", None)
        return value

    return any(content(params) == content(preset) for preset in PRESETS.glob("*.yaml"))


def _replaced(text: str, assignment: str) -> str:
    """`text` with one KEY=VALUE applied, its layout and comments kept."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    document = yaml.load(text)
    key, equals, value = assignment.partition("=")
    *parents, last = key.split(".")
    place = document
    for parent in parents:
        place = place.get(parent) if isinstance(place, dict) else None
    if not equals or not isinstance(place, dict) or last not in place:
        raise MimicError(
            f"{assignment}: must be KEY=VALUE with a key of the preset, e.g. data.path=cifar10.zip"
        )
    place[last] = YAML(typ="safe", pure=True).load(value)
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue()
