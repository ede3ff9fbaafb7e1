"""The colours of families, as CSS variables: blue has convolutions, orange has none.

Within a class of the paper's families a later one stands out more; a further one lies between two of them.
The two hues stay apart under every common colour-vision deficiency, and every colour from its paper.
"""

from mimic.nets.families import STUDENTS
from mimic.report.published import CONVS, MLPS
from mimic.report.student_families import peers

RAMPS = {  # by class, from the paper's first family to its last
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
        ramp = ramps[family.is_convolutional]
        further = [other for other in peers(name) if other not in MLPS + CONVS]
        if name not in further:
            colour = ramp[(CONVS if family.is_convolutional else MLPS).index(name)]
        else:
            colour = _between(ramp, further.index(name), len(further))
        colours.append(f"--{name}: {colour};")
    return colours


def _between(ramp: tuple[str, ...], place: int, number: int) -> str:
    """The colour of one of a number of further families: they share out the gaps, from the ramp's end on."""
    gaps = len(ramp) - 1
    turn, gap = divmod(place, gaps)
    share = (turn + 1) / (-(-number // gaps) + 1)
    pair = ramp[gaps - 1 - gap], ramp[gaps - gap]
    channels = zip(*(bytes.fromhex(colour[1:]) for colour in pair), strict=True)
    return "#" + bytes(round(low + share * (high - low)) for low, high in channels).hex()
