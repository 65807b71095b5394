/* The bars that say what colours mean: which a figure has, how long they are, where they stand. */
"use strict";

(() => {
  const { NUMBER, SIZES, EDGE, scale } = Satzblick.frame;
  const { plain, textWidth } = Satzblick.text;
  const BAR = { room: 44 + 2 * (NUMBER - SIZES.number), title: 20, longest: 260, shortest: 120, thickness: 8, above: 12 };

  /* A colour bar stands below the first panel that uses it. */
  function barsOf(layout, data) {
    const bars = [];
    for (const trace of data.filter((each) => each.type === "heatmap")) {
      const owner = trace.coloraxis ? (layout[trace.coloraxis] ??= {}) : trace;
      if (owner.showscale !== false && !bars.some((bar) => bar.owner === owner))
        bars.push({ owner, x: trace.xaxis ?? "x" });
    }
    return bars;
  }

  const titleLength = ({ colorbar }) => textWidth(plain(colorbar?.title?.text ?? ""), NUMBER * scale(), "normal");

  /* As long as its panel, within limits, and never shorter than its own title. */
  function barLength(owner, panel) {
    const least = Math.max(BAR.shortest * scale(), titleLength(owner));
    return Math.max(least, Math.min(panel.width, BAR.longest * scale()));
  }

  /* Where Plotly's four steps would leave a bar nothing but its zero, it says how far it goes to both sides. */
  function barTicks({ cmin, cmax, colorbar }) {
    const far = Math.min(-cmin, cmax);
    if (colorbar?.tickvals || !(far > 0)) return {};
    const unit = 10 ** Math.floor(Math.log10(far));
    const step = [1, 2, 5, 10].map((count) => count * unit).find((each) => each >= (cmax - cmin) / 4);
    const end = Math.floor(far / unit) * unit;
    return step > far ? { tickmode: "array", tickvals: [-end, 0, end] } : {};
  }

  /* Where the figure is narrower than a title, its letters are smaller. */
  function placeBar({ owner, top }, panel, width, height) {
    const long = Math.min(barLength(owner, panel), width - 2 * EDGE);
    const size = NUMBER * scale() * Math.min(1, long / titleLength(owner));
    owner.colorbar = {
      ...owner.colorbar,
      orientation: "h",
      thicknessmode: "pixels",
      thickness: BAR.thickness * scale(),
      lenmode: "pixels",
      title: { ...owner.colorbar?.title, side: "top", font: { size } },
      len: long,
      nticks: 4,
      ...barTicks(owner),
      x: Math.max(0, Math.min(panel.left, width - long - 2 * EDGE)) / width,
      xanchor: "left",
      xpad: 0,
      y: 1 - top / height,
      yanchor: "top",
      ypad: 0,
      outlinewidth: 0,
      tickfont: { size: NUMBER * scale() },
    };
  }

  Satzblick.bars = { BAR, barsOf, barLength, placeBar };
})();
