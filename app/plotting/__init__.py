"""Makes Plotly JSON from arrays: plain dicts, a few trace types, colours only in the layout so that a theme is a patch.

Colours: zero is the page's background. [0, 1] runs from paper to deep blue (cividis in the dark), signed values are
RdBu, differences PuOr, both symmetric around zero. One range serves both runs; a masked cell is hatched, never a value.
"""

from app.plotting.charts import BESIDE, Axis, Curve, apart, chart, label_places, labels
from app.plotting.colours import (
    BLUES,
    CIVIDIS,
    GRID,
    INK,
    MASKED,
    PAPER,
    QUIET,
    RDBU,
    SERIES,
    THEMES,
    Scale,
    Theme,
    colorscale,
)  # fmt: skip
from app.plotting.maps import IN_CELLS, Panel, color_axis, maps, signed_cells, span
from app.plotting.plot import DTYPES, FONT, Json, Kind, Plot, beside, bold, escaped, merged, themed, typed

__all__ = [
    "Axis", "BESIDE", "BLUES", "CIVIDIS", "Curve", "DTYPES", "FONT", "GRID", "INK", "IN_CELLS", "Json", "Kind",
    "MASKED", "PAPER", "Panel", "Plot", "QUIET", "RDBU", "SERIES", "Scale", "THEMES", "Theme", "apart", "beside",
    "bold", "chart", "color_axis", "colorscale", "escaped", "label_places", "labels", "maps", "merged",
    "signed_cells", "span", "themed", "typed",
]  # fmt: skip
