"""The colours of families, as CSS variables: blue has convolutions, orange has none.

Within a class a later family stands out more. The two hues stay apart under every common colour-vision
deficiency, and every colour from its paper.
"""

import numpy as np

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
    """Evenly along the ramp of a class, mixed from the two colours that a place lies between."""
    colours = []
    for name, family in STUDENTS.items():
        others, ramp = peers(name), ramps[family.is_convolutional]
        place = (len(ramp) - 1) * others.index(name) / max(1, len(others) - 1)
        channels = np.array([[*bytes.fromhex(colour[1:])] for colour in ramp]).T
        mixed = [round(np.interp(place, range(len(ramp)), channel)) for channel in channels]
        colours.append(f"--{name}: #{bytes(mixed).hex()};")
    return colours
