"""Makes Plotly JSON from arrays: plain dicts, a few trace types, colours only in the layout so that a theme is a patch.

Colours: zero is the page's background. [0, 1] runs from paper to deep blue (cividis in the dark), signed values are
RdBu, differences PuOr, both symmetric around zero. One range serves both runs; a masked cell is hatched, never a value.

Here is what views draw with; who puts Plotly's JSON together or takes it apart has its parts from the files beside.
"""

from app.plotting.charts import Axis, Curve, Dash, chart
from app.plotting.colours import Scale, Theme
from app.plotting.joined import Block, joined
from app.plotting.maps import IN_CELLS, Panel, cell, maps
from app.plotting.names import BESIDE, curve_names, label_places
from app.plotting.plot import Cells, Kind, Plot, axes_of, beside

__all__ = [
    "Axis", "BESIDE", "Block", "Cells", "Curve", "Dash", "IN_CELLS", "Kind", "Panel", "Plot", "Scale", "Theme",
    "axes_of", "beside", "cell", "chart", "curve_names", "joined", "label_places", "maps",
]  # fmt: skip
