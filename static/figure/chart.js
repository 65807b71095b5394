/* Charts, whose panels Plotly places itself: their height, their legends, numbers over their bars. */
"use strict";

(() => {
  const { SLIDE_TEXT, NARROW, scale, onSlide, onFixedHeight, lying, fitted, roomHigh } = Satzblick.frame;
  const { plain, textWidth, titleLines, span } = Satzblick.text;
  const { TITLE_SIZE, UPRIGHT, wrapTitles, wrapTicks } = Satzblick.axes;
  const { numbers, placeTexts, wholeAcross, wholeDown, wholeSingle } = Satzblick.points;
  const HEIGHT = 420;
  const LEAST_PLOT = 140; // where one may scroll
  const RIGHT_AXIS = 4; // in letters
  const AROUND_PLOT = 2.5; // Plotly's own margins, in letters
  const SLANT = 0.75; // of a name's width, which it is high where it stands slanted
  const BESIDE_PLOT = 8; // what stands at the left of a chart and its legend, in letters
  const LEGEND_MARK = 70; // what stands beside a name in the legend
  const LEGEND_LINE = 1.4; // the height of a line in it, in letters
  const LABEL_LINE = 1.2; // and of one beside a curve
  const LEGEND_SHARE = 0.2; // of a figure's usual height, which a legend may take
  const TURNED = 0.65; // of their usual size: numbers over bars that would be smaller stand upright

  /* Names in a legend that are wider than the figure stand in two lines. */
  function withShortNames(layout, data, width) {
    const [size, room] = [layout.font.size, width - LEGEND_MARK * scale()];
    const wide = ({ name }) => name && textWidth(plain(name), size, "normal") > room;
    if (!layout.showlegend) return data;
    const named = data.map((trace) => (wide(trace) ? { ...trace, name: titleLines(trace.name, size, room).join("<br>") } : trace));
    if (width < NARROW * scale() || !onFixedHeight()) holdLegend(layout, named, width);
    return named;
  }

  /* A chart that may be as high as it likes becomes higher by its legend, which Plotly would cut at half the height. */
  function holdLegend(layout, data, width) {
    const high = legendHigh(layout, data, width);
    layout.legend = { ...layout.legend, maxheight: high + 2 * layout.font.size };
    if (!onFixedHeight()) layout.height += Math.max(0, high - LEGEND_SHARE * layout.height);
  }

  function legendHigh(layout, data, width) {
    const size = layout.font.size;
    const names = data.filter(({ name, showlegend }) => name && showlegend !== false).map(({ name }) => name.split("<br>"));
    const widest = Math.max(...names.flat().map((line) => textWidth(plain(line), size, "normal")));
    const columns = Math.max(1, Math.floor((width - BESIDE_PLOT * size) / (widest + LEGEND_MARK * scale())));
    const lines = Array.from({ length: Math.ceil(names.length / columns) }, (_, row) =>
      Math.max(...names.slice(row * columns, (row + 1) * columns).map((name) => name.length)));
    return lines.reduce((sum, count) => sum + count * LEGEND_LINE * size, 0);
  }

  /* Whether names at the ends of curves would cover each other. */
  function crowded(data, layout, width) {
    const { range = [0, 1], type } = layout.yaxis;
    const unit = plotHigh({ layout, data }, width) / (range[1] - range[0]) / (LABEL_LINE * layout.font.size);
    const names = data.filter((trace) => trace.meta?.label).map(({ y, text }) => {
      const [value] = numbers(y);
      return { middle: (type === "log" ? Math.log10(value) : value) * unit, lines: text[0].split("<br>").length };
    });
    names.sort((one, other) => one.middle - other.middle);
    return names.some(({ middle, lines }, index) => index && middle - names[index - 1].middle < (lines + names[index - 1].lines) / 2);
  }

  /* About what is left of a figure's height for what it draws, between its legend and the names below it. */
  function plotHigh({ layout, data, placed }, width) {
    if (placed) return placed.high ?? Infinity; // square cells are given what they need
    const size = layout.font.size;
    const names = (layout.xaxis.ticktext ?? []).map((name) => name.split("<br>"));
    const longest = Math.max(0, ...names.flat().map((line) => textWidth(plain(line), size)));
    const slanted = longest > (width - 5 * size) / names.length;
    const below = slanted ? SLANT * longest + size : LEGEND_LINE * size * Math.max(1, ...names.map((lines) => lines.length));
    const legend = layout.showlegend ? legendHigh(layout, data, width) + size : 0;
    const title = layout.xaxis.title?.text ? (1 + layout.xaxis.title.text.split("<br>").length) * size : 0;
    return layout.height - AROUND_PLOT * size - legend - below - title;
  }

  /* A narrow chart has no room for names beside its curves: they stand above, and the axis ends with the curves. */
  function withLegend(data, layout) {
    const curves = data.filter((trace) => !trace.meta?.label);
    if (curves.length < data.length) {
      layout.showlegend = curves.filter((trace) => trace.showlegend !== false).length > 1;
      layout.xaxis.range = layout.meta?.unnamed ?? layout.xaxis.range;
    }
    return curves;
  }

  /* Numbers over bars are all of one size: as wide as their places, and upright where they would be too small. */
  function overBars(data, layout, width) {
    const numbered = data.filter(({ type, text }) => type === "bar" && text);
    if (!numbered.length) return;
    const usual = layout.font.size;
    const beside = numbered.length > 1 ? (1 - layout.bargap) / numbered.length : 1;
    const place = (width / span(layout.xaxis)) * beside;
    const longest = Math.max(...numbered.flatMap(({ text }) => text).map((text) => textWidth(plain(text), usual, "normal")));
    const flat = Math.min(1, (0.95 * place) / longest);
    const turned = flat < TURNED;
    const size = turned ? Math.min(usual, place / UPRIGHT) : usual * flat;
    for (const trace of numbered)
      Object.assign(trace, { constraintext: "none", textangle: turned ? -90 : 0, textfont: { ...trace.textfont, size } });
    if (!turned) return;
    const high = plotHigh({ layout, data }, width);
    const most = Math.max(...numbered.flatMap(({ y }) => numbers(y)).filter(Number.isFinite));
    const above = (most * high) / (high - (1.1 * longest * size) / usual); // where the number of the highest bar ends
    const { range } = layout.yaxis;
    Object.assign(layout.yaxis, range ? { range: [range[0], Math.max(range[1], above)] } : { autorangeoptions: { include: above } });
  }

  /* Changes the layout for this width and gives the traces that are drawn; smaller letters than those `asked` for leave
     more to the plot. `bare` figures have no legend; `whole` ones are at least as high as they would be on a page. */
  function layChart(spec, layout, traces, width, { asked, bare }) {
    let data = traces;
    layout.font.size = Math.max(layout.font.size, onSlide() ? SLIDE_TEXT : 0) * scale();
    for (const trace of data)
      if (trace.line) trace.line = { ...trace.line, width: (trace.line.width ?? 2) * scale() };
    const usual = (layout.height ?? HEIGHT) * (onFixedHeight() ? asked : scale());
    Object.assign(layout, { width, height: Math.floor(lying() ? roomHigh() : fitted(usual)), autosize: false });
    const whole = layout.height >= Math.floor(usual);
    const steps = Math.max(0, ...(layout.yaxis.ticktext ?? []).map((text) => textWidth(plain(text), layout.font.size)));
    wrapTitles(layout, "x", width - Math.max(5 * TITLE_SIZE * layout.font.size, steps + 2 * TITLE_SIZE * layout.font.size));
    if (width < NARROW * scale() || crowded(data, layout, width)) data = withLegend(data, layout);
    const named = data.length === traces.length; // curves have their names beside them
    const right = layout.yaxis2?.side === "right" ? RIGHT_AXIS * layout.font.size : 0;
    const inner = width - right - Math.max(5 * layout.font.size, steps + 2 * TITLE_SIZE * layout.font.size);
    wholeAcross(data, layout, width - AROUND_PLOT * layout.font.size);
    wholeDown(data, layout, plotHigh({ layout, data }, width));
    wholeSingle(data, layout, width - AROUND_PLOT * layout.font.size);
    wrapTicks(layout.xaxis, inner, layout.font.size);
    layout.xaxis.ticklabeloverflow = "allow"; // the first of slanted names is not left out
    overBars(data, layout, inner);
    if (bare && named) layout.showlegend = false;
    data = withShortNames(layout, data, width);
    if (!lying()) layout.height += Math.max(0, LEAST_PLOT * scale() - plotHigh({ layout, data }, width));
    wrapTitles(layout, "y", plotHigh({ layout, data }, width) + layout.font.size);
    if ((onSlide() || width < NARROW) && named)
      placeTexts(spec.data, layout, width)?.forEach((texts, index) => {
        for (const [name, values] of Object.entries(texts)) data[index][name] = values.slice(0, data[index][name].length);
      });
    return { data, whole };
  }

  Satzblick.chart = { layChart, plotHigh };
})();
