/* Names of the points of a chart: beside them where they hide nothing, or at both its sides. */
"use strict";

(() => {
  const { plain, textWidth, span } = Satzblick.text;
  const PLACES = ["top", "bottom", "middle right", "middle left", "top right", "top left", "bottom right", "bottom left"];
  const MOST_WAYS = 40; // points of paths whose names keep off the lines: more find no room as it is
  const WAY_STEPS = 24;
  const MIDDLE = 3; // between names on either side, in letters
  const LEAST_NAME = 9; // pixels of theirs

  const numbers = (values) =>
    values?.bdata ? [...new Float32Array(Uint8Array.from(atob(values.bdata), (byte) => byte.charCodeAt(0)).buffer)] : values;

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

  /* Names on either side that would cover each other become smaller, and where that is not enough the chart is higher. */
  function wholeDown(data, layout, high) {
    const named = sidesOf(data, layout).flat();
    if (!named.length) return;
    const { domain: [bottom, top] = [0, 1] } = layout.yaxis;
    const lines = span(layout.yaxis) / (top - bottom);
    const place = high / lines;
    for (const trace of named) {
      const size = Math.max(LEAST_NAME, Math.min(trace.textfont?.size ?? layout.font.size, place));
      trace.textfont = { ...trace.textfont, size };
    }
    layout.height += Math.ceil(Math.max(0, LEAST_NAME - place) * lines);
  }

  Satzblick.points = { numbers, placeTexts, wholeAcross, wholeDown, wholeSingle };
})();
