"""The colours of all figures: zero is the page's background, in the light and in the dark."""

from typing import Literal

Scale = Literal["share", "signed", "difference", "class"]
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
PAPER = {"light": "#fbfaf7", "dark": "#1d1e22"}
GROUND = {"light": "#ffffff", "dark": PAPER["dark"]}  # of stills, as of embeds: that of most slides
INK = {"light": "#1b1b1f", "dark": "#ecebe6"}
QUIET = {"light": "#5c5c66", "dark": "#a6a6ad"}
ACCENT = {"light": "#b3441a", "dark": "#ff8a5c"}
MASKED = {"light": "#d9d7d1", "dark": "#3a3b41"}
HATCH = {"light": "#bdbab2", "dark": "#5a5b63"}
EDGE = {"light": "#928f88", "dark": "#73757e"}  # of what is measured by its ends: 3:1 on each ground
GRID = {"light": "#e6e3dc", "dark": "#33343a"}
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x")  # of the points, for those who see no colours
SERIES = ("#3f7fc1", "#cf5f2a", "#3d8f66", "#9468c0", "#b8478a", "#85812b")  # readable on both grounds
PATTERNS = ("", "/", ".", "x", "-", "|")  # and on the bars
NAMES = {  # the same hues for text, which needs more contrast: 4.5 on each ground
    "light": ("#3a75b2", "#b85425", "#367f5b", "#8c5cbb", "#b8478a", "#787427"),
    "dark": ("#518bc7", "#d66733", "#40976c", "#9e76c6", "#c5689f", "#8e8a2e"),
}
BLUES = ["#fbfaf7", "#e3ebf3", "#c3d8ea", "#98bfdf", "#6a9fcd", "#4380b8", "#255f9c", "#0f427c", "#062a5c"]
CIVIDIS = ["#00204d", "#00336f", "#39486b", "#575c6d", "#707173", "#8a8779", "#a69d75", "#c4b56c", "#e4cf5b", "#ffea46"]
RDBU = (
    ["#67001f", "#b2182b", "#d6604d", "#f4a582", "#fddbc7"],
    ["#d1e5f0", "#92c5de", "#4393c3", "#2166ac", "#053061"],
)
PUOR = (
    ["#2d004b", "#542788", "#8073ac", "#b2abd2", "#d8daeb"],
    ["#fee0b6", "#fdb863", "#e08214", "#b35806", "#7f3b08"],
)
CLASSES = {  # no class is the page itself; pale or deep enough for the label in the cell
    "light": [PAPER["light"], "#a9cbee", "#b5dfb8", "#f7cf9a", "#dcc4f0"],
    "dark": [PAPER["dark"], "#2f5f96", "#2d6a45", "#8a5212", "#6b4799"],
}
RDBU_DARK = (
    ["#ff9b8f", "#e8604f", "#b23a35", "#7a2a2b", "#452425"],
    ["#22364a", "#285a86", "#3b82bd", "#6cabdf", "#a8d3f7"],
)
PUOR_DARK = (
    ["#c9b3ff", "#9e7fe6", "#7350b8", "#4f3a80", "#332b4a"],
    ["#4a3520", "#85511a", "#bf6f17", "#ee9233", "#ffc27d"],
)


def colorscale(scale: Scale, theme: Theme) -> list[tuple[float, str]]:
    """Plotly stops from 0 to 1; the middle of the signed scales is the page's background, classes have no middle."""
    if scale == "class":
        count = len(CLASSES[theme])
        return [((place + end) / count, colour) for place, colour in enumerate(CLASSES[theme]) for end in (0, 1)]
    if scale == "share":
        colours = BLUES if theme == "light" else CIVIDIS
    else:
        light = {"signed": RDBU, "difference": PUOR}
        dark = {"signed": RDBU_DARK, "difference": PUOR_DARK}
        low, high = (light if theme == "light" else dark)[scale]
        colours = [*low, PAPER[theme], *high]
    return [(i / (len(colours) - 1), colour) for i, colour in enumerate(colours)]
