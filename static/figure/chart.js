/* Charts, whose panels Plotly places itself: their legends, and names that need room beside, below and between curves. */
"use strict";

(() => {
  const { SLIDE_TEXT, NARROW, scale, onSlide, onFixedHeight, lying, leastLetters, fitted, roomHigh } = Satzblick.frame;
  const { plain, escape, textWidth, titleLines, span } = Satzblick.text;
  const HEIGHT = 420;
  const LEAST_PLOT = 140; // where one may scroll
  const TITLE_SIZE = 1.2; // of an axis, in Plotly, beside other labels
  const RIGHT_AXIS = 4; // in letters
  const AROUND_PLOT = 2.5; // Plotly's own margins, in letters
  const SLANT = 0.75; // of a name's width, which it is high where it stands slanted
  const BESIDE_PLOT = 8; // what stands at the left of a chart and its legend, in letters
  const LEGEND_MARK = 70; // what stands beside a name in the legend
  const LEGEND_LINE = 1.4; // the height of a line in it, in letters
  const LABEL_LINE = 1.2; // and of one beside a curve
  const LEGEND_SHARE = 0.2; // of a figure's usual height, which a legend may take
  const PLACES = ["top", "bottom", "middle right", "middle left", "top right", "top left", "bottom right", "bottom left"];
  const TWO_LINES = { of: 3.4, least: 8 }; // two words that stand upright under a place of a narrow chart
  // Of the name of an axis: its lines and its size, down to that of other letters.
  const NAME_SIZES = [[2, 1], [2, 0.9], [2, 1 / 1.2], [3, 1 / 1.2]];
  const MOST_WAYS = 40; // points of paths whose names keep off the lines: more find no room as it is
  const WAY_STEPS = 24;
  const MIDDLE = 3; // between names on either side, in letters
  const LEAST_NAME = 9; // pixels of theirs
  const UPRIGHT = 1.2; // a word that stands upright, by the size of its letters
  const TURNED = 0.65; // of their usual size: numbers over bars that would be smaller stand upright

  const numbers = (values) =>
    values?.bdata ? [...new Float32Array(Uint8Array.from(atob(values.bdata), (byte) => byte.charCodeAt(0)).buffer)] : values;

  /* Names of the axes "x" or "y" that are longer than these are stand in lines, in smaller letters if need be. */
  function wrapTitles(layout, letter, whole) {
    const size = layout.font.size * TITLE_SIZE;
    for (const [name, axis] of Object.entries(layout)) {
      if (!name.startsWith(`${letter}axis`) || !axis.title?.text) continue;
      const [from, to] = axis.domain ?? [0, 1];
      const room = whole * (to - from);
      if (textWidth(plain(axis.title.text), size, "normal") <= room) continue;
      const tried = NAME_SIZES.map(([most, part]) =>
        [part * size, titleLines(axis.title.text, part * size, Math.max(room, 8 * size), most)]);
      const long = plain(axis.title.text).length;
      const [letters, lines] = tried.find(([, found]) => plain(found.join(" ")).length >= long) ?? tried.at(-1);
      axis.title = { ...axis.title, text: lines.join("<br>"), font: { ...axis.title.font, size: letters } };
    }
  }

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

  /* Boxes along the line from a point to the next of its list. */
  function between([x, y], index, points) {
    const [right, down] = points[index + 1] ?? [x, y];
    return Array.from({ length: WAY_STEPS }, (_, step) => {
      const [over, under] = [x + ((right - x) * step) / WAY_STEPS, y + ((down - y) * step) / WAY_STEPS];
      return [over - 2, under - 2, over + 2, under + 2];
    });
  }

  function placeTexts(traces, layout, width) {
    const { xaxis, yaxis } = layout;
    if (!yaxis?.scaleanchor || layout.xaxis2 || !xaxis.range || !yaxis.range) return null;
    const size = layout.font.size;
    const [wide, high] = [width - 6 * size, layout.height - 7.5 * size]; // without ticks, titles and legend
    const unit = Math.min(wide / span(xaxis), high / span(yaxis));
    const middle = ((xaxis.range[0] + xaxis.range[1]) / 2) * unit; // labels end where the plane does: beyond are the ticks
    const points = traces.map((trace) => numbers(trace.x).map((x, index) => [x * unit, -numbers(trace.y)[index] * unit]));
    const meets = (one, other) => one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3];
    const dots = points.flat().map(([x, y]) => [x - 4, y - 4, x + 4, y + 4]);
    const few = points.flat().length <= MOST_WAYS;
    const ways = traces.flatMap(({ mode }, number) => (few && mode.includes("lines") ? points[number].flatMap(between) : []));
    const placed = [];
    return traces.map((trace, number) => {
      if (!Array.isArray(trace.text)) return {};
      const text = [...trace.text];
      const textposition = text.map((label, index) => {
        if (!label) return "top center";
        const [[x, y], long] = [points[number][index], textWidth(plain(label), size, "normal")];
        // a typed word is named even where its name hides a neighbour's point
        const kept = [...dots, ...placed]; // and lines, where there is a place off them
        const tried = [[...ways, ...kept], kept, ...(number ? [] : [placed])].flatMap((hidden) => PLACES.map((place) => [place, hidden]));
        for (const [place, hidden] of tried) {
          const left = place.includes("right") ? x + 6 : place.includes("left") ? x - 6 - long : x - long / 2;
          const top = place.includes("top") ? y - 6 - size : place.includes("bottom") ? y + 6 : y - size / 2;
          const box = [left, top, left + long, top + size];
          if (left < middle - wide / 2 || left + long > middle + wide / 2) continue;
          if (hidden.some((other) => meets(box, other))) continue;
          placed.push(box);
          return place.includes(" ") ? place : `${place} center`;
        }
        text[index] = "";
        return "top center";
      });
      return { text, textposition };
    });
  }

  /* The traces whose names stand at the left of a chart, and those at its right; none where there is only one side. */
  function sidesOf(data, layout) {
    const sides = ["left", "right"].map((side) => data.filter(({ textposition }) => textposition?.[0] === `middle ${side}`));
    return layout.xaxis.range && sides.every((traces) => traces.length) ? sides : [];
  }

  /* Names on either side of a chart are whole: its middle gives way to them, and where that is not enough their size. */
  function wholeAcross(data, layout, width) {
    const sides = sidesOf(data, layout);
    if (!sides.length) return;
    const [from, to] = sides.map(([trace]) => numbers(trace.x)[0]);
    const usual = layout.font.size;
    const names = sides.map((traces) => traces.flatMap(({ text }) => text).map(plain));
    const long = (size) => names.map((each) => size + Math.max(...each.map((name) => textWidth(name, size, "normal"))));
    const share = ([left, right]) => Math.min((from - layout.xaxis.range[0]) / left, (layout.xaxis.range[1] - to) / right);
    if (share(long(usual)) * width >= span(layout.xaxis)) return;
    const apart = MIDDLE * usual;
    const size = Math.min(usual, Math.max(LEAST_NAME, (usual * (width - apart)) / long(usual).reduce((sum, each) => sum + each)));
    const [left, right] = long(size);
    const unit = (to - from) / Math.max(apart / 2, width - left - right);
    layout.xaxis.range = [from - left * unit, to + right * unit];
    for (const trace of sides.flat()) trace.textfont = { ...trace.textfont, size };
  }

  /* Names at the right of points become smaller, all alike, where one would reach beyond the figure. */
  function wholeSingle(data, layout, width) {
    if (!layout.xaxis.range || sidesOf(data, layout).length) return;
    const [from, to] = layout.xaxis.range;
    const usual = layout.font.size;
    const named = data.filter(({ textposition, meta }) => textposition?.[0] === "middle right" && !meta?.label);
    const sizes = named.flatMap(({ x, text }) => numbers(x).map((at, index) => {
      const room = (width * (to - (layout.xaxis.type === "log" ? Math.log10(at) : at))) / (to - from);
      return (0.98 * usual * room) / Math.max(...text[index].split("<br>").map((line) => textWidth(plain(line), usual, "normal")));
    }));
    for (const trace of named) trace.textfont = { ...trace.textfont, size: Math.max(LEAST_NAME, Math.min(usual, ...sizes)) };
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

  /* Names on either side that would cover each other become smaller, and where that is not enough the chart is higher. */
  function wholeDown(data, layout, width) {
    const named = sidesOf(data, layout).flat();
    if (!named.length) return;
    const { domain: [bottom, top] = [0, 1] } = layout.yaxis;
    const lines = span(layout.yaxis) / (top - bottom);
    const place = plotHigh({ layout, data }, width) / lines;
    for (const trace of named) {
      const size = Math.max(LEAST_NAME, Math.min(trace.textfont?.size ?? layout.font.size, place));
      trace.textfont = { ...trace.textfont, size };
    }
    layout.height += Math.ceil(Math.max(0, LEAST_NAME - place) * lines);
  }

  /* Names that have no room even upright become smaller, and where that is not enough only every second, third … stays. */
  function thinTicks(axis, place, size, { of, least: smallest }) {
    const letters = Math.max(smallest, Math.min(size, place / of));
    const nth = Math.ceil((letters * of) / place - 0.01);
    axis.tickfont = { ...axis.tickfont, size: letters };
    if (nth < 2) return;
    axis.tickvals = (axis.tickvals ?? axis.ticktext.map((_, index) => index)).filter((_, index) => index % nth === 0);
    axis.ticktext = axis.ticktext.filter((_, index) => index % nth === 0);
  }

  /* Names under a chart that are wider than their place stand in lines, broken at spaces and hyphens, where that is enough. */
  function wrapTicks(axis, width, size) {
    const [from, to] = axis?.domain ?? [0, 1];
    if (!axis?.ticktext) return;
    const at = (axis.tickvals ?? []).map((value) => (axis.type === "log" ? Math.log10(value) : value));
    const apart = Math.min(...at.slice(1).map((value, index) => value - at[index]), at.length > 1 ? Infinity : 1);
    const place = ((width * (to - from)) / span(axis, axis.ticktext.length)) * apart;
    const room = place - size / 2;
    const lines = axis.ticktext.map((text) => text.split("<br>"));
    if (lines.some((each) => each.length > 1)) {
      const letters = Math.min(size, (0.95 * place * size) / Math.max(...lines.flat().map((line) => textWidth(plain(line), size))));
      if (letters < (onSlide() ? leastLetters() : TWO_LINES.least)) thinTicks(axis, place, size, TWO_LINES);
      else axis.tickfont = { ...axis.tickfont, size: letters };
      return;
    }
    const fits = (text) => textWidth(text, size) <= room;
    if (axis.ticktext.every((text) => fits(plain(text)))) return;
    const wrapped = axis.ticktext.map((text) => {
      const lines = [""];
      for (const part of plain(text).split(/(?<=[- ])/)) {
        if (lines.at(-1) && !fits(`${lines.at(-1)}${part}`.trim())) lines.push(part);
        else lines[lines.length - 1] += part;
      }
      return lines.map((line) => line.trim());
    });
    if (wrapped.flat().every(fits)) axis.ticktext = wrapped.map((lines) => `<b>${lines.map(escape).join("<br>")}</b>`);
    else thinTicks(axis, place, size, { of: UPRIGHT, least: leastLetters() });
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
    wholeDown(data, layout, width);
    wholeSingle(data, layout, width - AROUND_PLOT * layout.font.size);
    wrapTicks(layout.xaxis, inner, layout.font.size);
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
