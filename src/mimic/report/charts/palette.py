"""The colours of families, as CSS variables: blue has convolutions, orange has none.

Within a class a later family stands out more. The two hues stay apart under every common colour-vision
deficiency, and every colour from its paper.
"""

from mimic.nets.families import STUDENTS
from mimic.report.student_families import peers

RAMPS = {  # by class, from the first family to the last
    "light": {
        True: ("#398ccc", "#1d6fb6", "#144f92", "#103065"),
        False: ("#cc7d2a", "#b9641b", "#9d4b18", "#7e381b", "#5a2717"),
    },
    "dark": {
        True: ("#3178ba", "#4799d9", "#76bdee", "#b2dffa"),
        False: ("#aa5830", "#c66f39", "#de8b49", "#f1ae6b", "#fad4a0"),
    },
}


def style_sheet() -> str:
    """A variable for each family, by day, by night and on paper."""
    light, dark = (":root { " + " ".join(_variables(ramps)) + " }" for ramps in RAMPS.values())
    return f"{light}\n@media (prefers-color-scheme: dark) {{ {dark} }}\n@media print {{ {light} }}\n"


def _variables(ramps: dict[bool, tuple[str, ...]]) -> list[str]:
    colours = []
    for name, family in STUDENTS.items():
        others = peers(name)
        share = others.index(name) / max(1, len(others) - 1)
        colours.append(f"--{name}: {_along(ramps[family.is_convolutional], share)};")
    return colours


def _along(ramp: tuple[str, ...], share: float) -> str:
    """The colour at `share` of the ramp, 0 to 1, mixed from the two that it lies between."""
    first, rest = divmod(share * (len(ramp) - 1), 1)
    pair = ramp[int(first)], ramp[min(int(first) + 1, len(ramp) - 1)]
    channels = zip(*(bytes.fromhex(colour[1:]) for colour in pair), strict=True)
    return "#" + bytes(round(low + rest * (high - low)) for low, high in channels).hex()
