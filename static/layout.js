/* Places every panel of a figure in pixels: square cells, labels that fit, panels stacked where it is narrow. */
"use strict";

const Satzblick = {};

(() => {
  const SLIDE_TEXT = 16; // of any label on a slide at scale 1: at 1.5 the last row of a lecture hall reads it
  const onSlide = () => document.body.classList.contains("embed");
  const lying = () => onFixedHeight() && innerWidth > innerHeight; // what stands below is not seen, however narrow it is
  const CELL = { least: 14, slide: 20, tabled: 50, touched: 64, readable: 20, valued: 34, usual: 64, single: 84, singleLeast: 34 };
  const TILE = { least: 64, most: 190 }; // of an atlas: side by side, and alone
  const CAPTION = { most: 13, least: 8.5, high: 0.15, wide: 0.94, below: 22, bar: 18, narrow: 12 };
  const FEW = 8; // so few words should show their values, in more rows if need be
  const SINGLE_HEIGHT = 620;
  const NARROW = 640;
  const PANEL_LEAST = 240;
  const PANEL_SLIDE = 110; // so that two sentences and their difference stand side by side
  const WIDE_HEIGHT = 420;
  const SLIDE_LEAST = 220;
  const WIDE_LEAST = 90;
  const AROUND = 165; // what column labels, titles and the colour bar take on a slide, before they are known
  const FRAME_LEAST = 200; // a frame so low waits to be told its height
  const FLATTEST = 2.2; // cells of a slide are at most so much wider than high
  const TITLE_LINES = 3; // that of a difference says what its colours mean
  const TITLE_SIZES = [1, 0.9, 0.8];
  const VALUE_AIR = 6; // beside the text of a cell
  const VALUE_HIGH = 1.15; // of a cell, by the size of its letters
  const NAME_HIGH = 1.15; // of a row with a name, by the size of its letters
  const GAP = 30;
  const EDGE = 6;
  const SIZES = { usual: 15, flat: 11.5, least: 11, title: 13, number: 12 };
  const [TITLE, NUMBER] = onSlide() ? [SLIDE_TEXT, SLIDE_TEXT] : [SIZES.title, SIZES.number];
  const LABEL = onSlide()
    ? { usual: SLIDE_TEXT, flat: SLIDE_TEXT, longest: 180 }
    : { usual: SIZES.usual, flat: SIZES.flat, longest: 150 };
  const LINE = { height: 64, share: 0.1, gap: 14 }; // over a map; on a slide at most that share of its height
  const BAR = { room: 44 + 2 * (NUMBER - SIZES.number), title: 20, longest: 260, shortest: 120, thickness: 8, above: 12 };
  const QUIET = { light: "#5b5e66", dark: "#a5a6ad" };

  const pen = document.createElement("canvas").getContext("2d");
  const root = document.documentElement;
  const scale = () => Number(getComputedStyle(root).getPropertyValue("--scale")) || 1;
  const family = () => getComputedStyle(document.body).fontFamily;
  const least = () => (onSlide() ? SLIDE_TEXT * scale() : SIZES.least);
  const tabled = () => (innerWidth < NARROW ? CELL.touched : CELL.tabled);
  const leastCell = (kind) => (onSlide() ? CELL.slide : kind === "table" ? tabled() : CELL.least) * scale();
  const axisName = (id) => id.replace(/^([xy])/, "$1axis");

  /* ── text: Plotly's labels are pseudo-HTML ───────────────────────────── */
  function plain(label) {
    return String(label ?? "")
      .replace(/<br\s*\/?>/g, " ")
      .replace(/<[^>]*>/g, "")
      .replace(/&lt;/g, "<")
      .replace(/&gt;/g, ">")
      .replace(/&amp;/g, "&");
  }

  const escape = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");

  function textWidth(text, size, weight = "bold") {
    pen.font = `${weight} ${size}px ${family()}`;
    return pen.measureText(text).width;
  }

  function shorten(label, size, room, weight) {
    const letters = [...plain(label)];
    if (textWidth(letters.join(""), size, weight) <= room) return label;
    while (letters.length > 1 && textWidth(`${letters.join("")}…`, size, weight) > room) letters.pop();
    return escape(`${letters.join("")}…`);
  }

  /* At most so many lines of what fits over a panel. */
  function titleLines(title, size, room, most = 2, weight = "normal") {
    const lines = [""];
    for (const word of plain(title).split(/[^\S\u00a0]+/)) {
      const longer = `${lines.at(-1)} ${word}`.trim();
      if (lines.length === most || textWidth(longer, size, weight) <= room) lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines.filter(Boolean).map((line) => shorten(escape(line), size, room, weight));
  }

  /* ── panels and how many of them stand side by side ──────────────────── */
  const span = (axis, otherwise) => (axis.range ? Math.abs(axis.range[1] - axis.range[0]) : otherwise) || 1;
  const labelsOf = (axis) => (axis.showticklabels === false ? [] : (axis.ticktext ?? []).map(plain));
  const widest = (texts, size) =>
    Math.max(0, ...texts.map((text) => Math.min(LABEL.longest * scale(), textWidth(text, size))));

  function panelsOf(spec, layout) {
    return spec.panels.columns.map(([x, y, line]) => {
      const [across, down] = [layout[axisName(x)], layout[axisName(y)]];
      const numbered = !down.ticktext && down.showticklabels !== false;
      const titles = (layout.annotations ?? []).filter((note) => note.xref === `${x} domain` && !(note.y < 1));
      return {
        x,
        y,
        atlas: spec.panels.kind === "atlas",
        across,
        down,
        titles: titles.map((note) => [note, note.text]), // whole, however often they are broken into lines
        line: line && layout[axisName(line)],
        lineId: line,
        columns: span(across, spec.panels.cells),
        rows: span(down, spec.panels.rows),
        beside: (numbered ? 3 * NUMBER * scale() : 0) + (down.title?.text ? 2 * TITLE * scale() : 0) + 10,
        names: labelsOf(down),
      };
    });
  }

  const leftOf = (panel, size) => panel.beside + widest(panel.names, size);
  const inRows = (panels, count) =>
    Array.from({ length: Math.ceil(panels.length / count) }, (_, row) => panels.slice(row * count, (row + 1) * count));

  function cellFor(rows, width, size) {
    return Math.min(
      ...rows.map((row) => {
        const labels = row.reduce((sum, panel) => sum + leftOf(panel, size), 0);
        return (width - labels - GAP * (row.length - 1) - EDGE) / row.reduce((sum, panel) => sum + panel.columns, 0);
      }),
    );
  }

  function rowsOf(panels, kind, width, size, dense) {
    const map = kind === "map" || kind === "atlas";
    const most = Math.max(...panels.map((panel) => panel.columns));
    const atlas = panels[0].atlas;
    const least = (atlas ? TILE.least : most <= FEW && !dense ? CELL.valued : CELL.readable) * scale();
    const together = onFixedHeight() && kind === "wide" ? PANEL_SLIDE : PANEL_LEAST;
    for (let count = width < NARROW && !lying() ? 1 : panels.length; ; count = count > 3 ? Math.ceil(count / 2) : count - 1) {
      const rows = inRows(panels, count);
      const cell = cellFor(rows, width, size);
      const large = map ? cell >= least : cell >= leastCell(kind) && cell * most >= together * scale();
      if (count === 1 || large) return { rows, cell }; // only panels that stand alone scroll: their words stay at the edge
    }
  }

  /* A slide has a fixed height, so what stands in it shrinks to it, within limits. */
  const high = (selector) => document.querySelector(selector)?.offsetHeight ?? 0;
  function aroundFigure() {
    if (!document.body.classList.contains("aside")) return document.body.scrollHeight - high(".figure");
    // The caption beside the figure takes no height from it.
    return document.body.scrollHeight - high("#result") + high("#result > .numbers") + high(".figure-frame") - high(".figure");
  }
  const onFixedHeight = () => onSlide() && innerHeight > FRAME_LEAST;
  const lineHigh = () => Math.min(LINE.height * scale(), onFixedHeight() ? LINE.share * innerHeight : Infinity);

  let spare = 0; // what a first drawing was too high
  const tighten = (pixels) => (spare = pixels);
  const overflow = () => (onFixedHeight() ? Math.max(0, document.documentElement.scrollHeight - innerHeight) : 0);

  function fitted(height) {
    return Math.min(height, room());
  }

  /* As large as a cell of so many rows becomes where there is room. */
  function usualCell(panels, rows) {
    const single = Math.min(CELL.single, Math.max(CELL.singleLeast, SINGLE_HEIGHT / rows));
    return (panels[0].atlas ? TILE.most : panels.length === 1 ? single : CELL.usual) * scale();
  }

  function largestCell(panels, rows) {
    const most = Math.max(...panels.map((panel) => panel.rows));
    const usual = usualCell(panels, most);
    const slide = onFixedHeight() && rows.length === 1;
    const fitting = (innerHeight - aroundFigure() - AROUND * scale() - spare) / most;
    return slide ? Math.max(24 * scale(), Math.min(usual, fitting)) : usual;
  }

  /* Column labels stand flat where they fit, slanted where there is some room, else upright. */
  function columnLabels(rows, cell, upright = false) {
    const names = rows.flat().flatMap((panel) => labelsOf(panel.across));
    const usual = LABEL.usual * scale();
    const long = widest(names, usual);
    const room = cell - 4;
    if (long <= room) return { angle: 0, size: usual, slack: 0 };
    if ((usual * room) / long >= LABEL.flat * scale()) return { angle: 0, size: (usual * room) / long, slack: 0 };
    const size = Math.max(least(), Math.min(usual, cell * 0.8));
    if (upright || cell < CELL.readable * scale() * 1.2) return { angle: -90, size, slack: 0 };
    const last = rows.map((row) => labelsOf(row.at(-1).across).at(-1) ?? "");
    return { angle: -45, size, slack: Math.max(0, (widest(last, size) + size / 2) * 0.71 - cell / 2) };
  }

  /* Slanted only where the last of them does not reach beyond the figure. */
  function fittingLabels(rows, cell, width, size) {
    const columns = columnLabels(rows, cell);
    return cellFor(rows, width - columns.slack, size) < cell - 0.5 ? columnLabels(rows, cell, true) : columns;
  }

  function headOf(row, { angle, size }) {
    const names = row.flatMap((panel) => labelsOf(panel.across));
    if (!names.length) return 0;
    const long = widest(names, size);
    return angle === 0 ? size * 1.55 : angle === -90 ? long + 12 : long * 0.71 + size * 1.2;
  }

  /* Somewhat smaller where it would be cut, and then is whole. */
  function wholeTitle(text, size, room) {
    const tried = TITLE_SIZES.map((part) => ({ letters: part * size, lines: titleLines(text, part * size, room, TITLE_LINES) }));
    return tried.find(({ lines }) => !lines.at(-1)?.endsWith("…")) ?? tried[0];
  }

  function placeTitles(row, shift, width, theme) {
    const size = TITLE * scale();
    let height = 0;
    for (const [index, panel] of row.entries()) {
      const next = row[index + 1];
      const room = (next ? next.left - size : width - EDGE) - panel.left;
      for (const [note, text] of panel.titles) {
        const { lines, letters } = wholeTitle(text, size, room);
        height = Math.max(height, lines.length * letters * 1.35 + 5);
        Object.assign(note, {
          text: lines.join("<br>"),
          x: 0,
          y: 1,
          xanchor: "left",
          yanchor: "bottom",
          align: "left",
          showarrow: false,
          xshift: -2,
          yshift: shift,
          borderpad: 0,
          font: { color: QUIET[theme], ...note.font, size: letters },
        });
      }
    }
    return height;
  }

  /* The texts of points on a slide, whose letters are large: each where it hides no other and no point, or nowhere. */
  const PLACES = ["top", "bottom", "middle right", "middle left", "top right", "top left", "bottom right", "bottom left"];
  const numbers = (values) =>
    values?.bdata ? [...new Float32Array(Uint8Array.from(atob(values.bdata), (byte) => byte.charCodeAt(0)).buffer)] : values;

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
    const placed = [];
    return traces.map((trace, number) => {
      if (!Array.isArray(trace.text)) return {};
      const text = [...trace.text];
      const textposition = text.map((label, index) => {
        if (!label) return "top center";
        const [[x, y], long] = [points[number][index], textWidth(plain(label), size, "normal")];
        // a typed word is named even where its name hides a neighbour's point
        const tried = (number ? [[...dots, ...placed]] : [[...dots, ...placed], placed]).flatMap((hidden) => PLACES.map((place) => [place, hidden]));
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

  const TWO_LINES = { of: 3.4, least: 8 }; // two words that stand upright under a place of a narrow chart
  const UPRIGHT = 1.2; // a word that stands upright, by the size of its letters

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
    const place = ((width - 5 * size) * (to - from)) / span(axis, axis.ticktext.length);
    const room = place - size / 2;
    const lines = axis.ticktext.map((text) => text.split("<br>"));
    if (lines.some((each) => each.length > 1)) {
      const upright = !lines.flat().every((line) => textWidth(plain(line), size) <= room);
      if (upright) thinTicks(axis, place, size, TWO_LINES);
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
    else thinTicks(axis, place, size, { of: UPRIGHT, least: least() });
  }

  const noteWidth = ({ text }, size) =>
    Math.max(...text.split("<br>").map((line) => textWidth(plain(line), size * scale(), text.startsWith("<b>") ? "bold" : "normal")));

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

  /* As long as its panel, within limits, and never shorter than its own title. */
  function barLength(owner, panel) {
    const title = plain(owner.colorbar?.title?.text ?? "");
    const least = Math.max(BAR.shortest * scale(), textWidth(title, NUMBER * scale(), "normal"));
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

  function placeBar({ owner, top }, panel, width, height) {
    owner.colorbar = {
      ...owner.colorbar,
      orientation: "h",
      thicknessmode: "pixels",
      thickness: BAR.thickness * scale(),
      lenmode: "pixels",
      title: { ...owner.colorbar?.title, side: "top", font: { size: NUMBER * scale() } },
      len: barLength(owner, panel),
      nticks: 4,
      ...barTicks(owner),
      x: Math.max(0, Math.min(panel.left, width - barLength(owner, panel) - 2 * EDGE)) / width,
      xanchor: "left",
      xpad: 0,
      y: 1 - top / height,
      yanchor: "top",
      ypad: 0,
      outlinewidth: 0,
      tickfont: { size: NUMBER * scale() },
    };
  }

  function placeAxes(panel, width, height, columns, rowSize) {
    const room = LABEL.longest * scale();
    const common = {
      automargin: false,
      fixedrange: true,
      scaleanchor: undefined,
      matches: undefined,
      constrain: undefined,
      ticks: "",
      ticklabeloverflow: "allow",
    };
    const words = (axis, size) => ({
      tickfont: { ...axis.tickfont, size, weight: "bold" },
      ticktext: axis.ticktext.map((text) => shorten(text, size, room)),
    });
    const numbers = (axis) => ({ tickfont: { ...axis.tickfont, size: NUMBER * scale() } });
    const { across, down } = panel;
    Object.assign(across, common, across.ticktext ? words(across, columns.size) : numbers(across), {
      domain: [panel.left / width, (panel.left + panel.width) / width],
      anchor: panel.y,
      side: "top",
      tickangle: columns.angle,
      ticklabelstandoff: 2,
    });
    Object.assign(down, common, down.ticktext ? words(down, rowSize) : numbers(down), {
      domain: [1 - (panel.top + panel.height) / height, 1 - panel.top / height],
      anchor: panel.x,
      ticklabelstandoff: 6,
    });
    if (panel.line) {
      const top = panel.top - lineHigh() - LINE.gap * scale();
      Object.assign(panel.line, common, numbers(panel.line), {
        domain: [1 - (top + lineHigh()) / height, 1 - top / height],
        anchor: panel.x,
        ticklabelstandoff: 6,
        nticks: 2,
      });
      across.anchor = panel.lineId;
    }
    if (down.title?.text) down.title = { ...down.title, font: { ...down.title.font, size: TITLE * scale() } };
  }

  /* Captions as large as their tiles allow: whole, else their first words, else none where they could not be read; the
     scale's texts below it. */
  function placeCaptions(layout, cell) {
    const named = (name) => layout.annotations.filter((note) => note.name === name);
    const readable = onSlide() ? SLIDE_TEXT * scale() : CAPTION.least;
    const fitted = (texts) => {
      const long = Math.max(...texts.map((text) => textWidth(plain(text), 10, "normal")));
      return Math.min((onSlide() ? SLIDE_TEXT : CAPTION.most) * scale(), cell * CAPTION.high, (10 * cell * CAPTION.wide) / long);
    };
    const whole = named("caption").map((note) => note.text);
    const brief = whole.map((text) => text.split(" ")[0]);
    const texts = fitted(whole) >= readable ? whole : brief;
    const size = fitted(texts);
    named("caption").forEach((note, index) =>
      Object.assign(note, { text: texts[index], visible: size >= readable, font: { ...note.font, size } }),
    );
    const small = onSlide() ? NUMBER * scale() : Math.min(NUMBER * scale(), Math.max(CAPTION.least, cell * 0.35));
    for (const note of named("tick")) Object.assign(note, { yshift: -2, font: { ...note.font, size: small } });
    for (const note of named("bar"))
      Object.assign(note, { yshift: -CAPTION.bar * scale(), font: { ...note.font, size: NUMBER * scale() } });
  }

  /* The height of panels with cells of any shape; `above` is what stands over them. Names of rows keep their lines. */
  function wide(rows, row, above, rowSize) {
    const others = above + (BAR.room + BAR.title + 2 * TITLE) * scale();
    const least = Math.max(WIDE_LEAST * scale(), ...row.map(({ names }) => names.length * rowSize * NAME_HIGH));
    if (rows > 1 && onFixedHeight()) return Math.max(least, room() / rows - others);
    if (rows > 1) return (WIDE_HEIGHT * scale()) / 1.35;
    return Math.max(least, fitted(WIDE_HEIGHT * scale() + others) - others);
  }

  /* Panels with cells of any shape take what was left of a slide's height. */
  function grown(rows, sizes, given) {
    const placed = placeRows(rows, sizes, given);
    const spared = onFixedHeight() && !given.map ? room() - placed.y : 0;
    return spared > 0 ? placeRows(rows, { ...sizes, more: spared / rows.length }, given) : placed;
  }

  /* The panels of all rows for cells so wide and tall; gives how far they reach. Titles and bars get their places too. */
  function placeRows(rows, { cell, tall, columns, more = 0 }, { map, atlas, bars, rowSize, width, theme }) {
    let [right, y] = [0, 0];
    for (const row of rows) {
      const head = headOf(row, columns);
      const lines = row.some((panel) => panel.line) ? lineHigh() + LINE.gap * scale() : 0;
      const left = Math.max(...row.map((panel) => leftOf(panel, rowSize)));
      const high = wide(rows.length, row, head + lines, rowSize);
      let x = 0;
      for (const panel of row) {
        panel.width = panel.columns * cell;
        panel.height = map ? panel.rows * tall : Math.min(high + more, Math.max(high, WIDE_HEIGHT * scale()));
        panel.left = x + (rows.length > 1 ? left : leftOf(panel, rowSize));
        x = panel.left + panel.width + GAP;
      }
      y += placeTitles(row, head + lines, width, theme) + head;
      for (const panel of row) Object.assign(panel, { head: head + lines, lines, top: y + lines });
      y += lines;
      y += Math.max(...row.map((panel) => panel.height));
      const below = bars.filter((bar) => row.some((panel) => panel.x === bar.x));
      for (const bar of below) {
        bar.top = y + BAR.above * scale();
        const panel = row.find((each) => each.x === bar.x);
        right = Math.max(right, panel.left + barLength(bar.owner, panel) + 2 * EDGE);
      }
      const titled = below.some((bar) => bar.owner.colorbar?.title?.text);
      y += below.length ? (BAR.room + (titled ? BAR.title : 0)) * scale() : EDGE;
      if (atlas && row === rows[0]) y += (CAPTION.below + CAPTION.bar) * scale();
      if (row !== rows.at(-1)) y += GAP / 2;
      right = Math.max(right, x - GAP + columns.slack + EDGE);
    }
    return { right, y };
  }

  /* How wide the longest text of a map's cells is; that of numbers follows from their range. */
  function valueWidth({ text, texttemplate, coloraxis }, layout, size) {
    if (text) return Math.max(0, ...text.flat().map((each) => textWidth(plain(each), size, "normal")));
    const [, plus, places, unit] = texttemplate.match(/z:(\+?)\.(\d)([f%])/) ?? ["", "", 2, "f"];
    const { cmin, cmax } = layout[coloraxis];
    const most = Math.trunc(Math.max(-cmin, cmax) * (unit === "%" ? 100 : 1));
    const sign = plus || cmin < 0 ? "−" : "";
    return textWidth(`${sign}${most}${Number(places) ? "," : ""}${"0".repeat(places)}${unit === "%" ? " %" : ""}`, size, "normal");
  }

  /* On a slide cells are as high as its height allows, and wider than that where words then stand flat and values fit. */
  function slideCells(rows, first, given, data, layout) {
    const { atlas, width, rowSize } = given;
    const most = rows.reduce((sum, row) => sum + Math.max(...row.map((panel) => panel.rows)), 0);
    const [least, largest] = [atlas ? 24 * scale() : leastCell("map"), usualCell(rows.flat(), most)];
    const sized = (cell, tall) => {
      const columns = columnLabels(rows, cell);
      const spared = room() - placeRows(rows, { cell, tall, columns }, given).y;
      const high = Math.min(largest, Math.max(least, tall + spared / most));
      return { columns, high, free: cellFor(rows, width - columns.slack, rowSize) };
    };
    const flat = 4.5 + widest(rows.flat().flatMap((panel) => labelsOf(panel.across)), LABEL.usual * scale());
    const size = SLIDE_TEXT * scale();
    const texts = data.filter((trace) => trace.texttemplate).map((trace) => valueWidth(trace, layout, size) + VALUE_AIR);
    const values = [...new Set(texts)].sort((one, other) => other - one); // of some maps, where not those of all fit
    for (const wanted of atlas ? [flat] : [Math.max(flat, ...values), flat, ...values]) {
      const { high, free } = sized(wanted, first.tall);
      if (wanted > free || wanted > (atlas ? 1 : FLATTEST) * high) continue;
      const cell = Math.max(wanted, Math.min(free, high));
      return { cell, tall: atlas ? cell : high, columns: fittingLabels(rows, cell, width, rowSize) };
    }
    const { high, free } = sized(first.cell, first.tall);
    const cell = Math.min(free, high);
    return { cell, tall: cell, columns: fittingLabels(rows, cell, width, rowSize) };
  }

  /* Changes layout and data in place. Plotly's margins are zero, so that a pixel here is a pixel there. */
  function arrange(spec, layout, data, width, { theme, paper }) {
    const { kind } = spec.panels;
    if (kind === "stack") return Satzblick.stack(spec, layout, data, width, { theme });
    const dense = paper || onSlide(); // little height: rather small cells than a second row of panels
    const atlas = kind === "atlas";
    const map = atlas || kind === "map";
    const panels = panelsOf(spec, layout);
    let rowSize = (atlas && width < NARROW ? CAPTION.narrow : LABEL.usual) * scale();
    let { rows, cell } = rowsOf(panels, kind, width, rowSize, dense);
    const most = map ? largestCell(panels, rows) : Infinity;
    if (map) rowSize = Math.max(least(), Math.min(rowSize, cell * 0.8));
    let columns = columnLabels(rows, Math.min(cell, most));
    ({ rows, cell } = rowsOf(panels, kind, width - columns.slack, rowSize, dense));
    const scrolls = !atlas && cell < leastCell(kind);
    cell = Math.min(Math.max(cell, atlas ? 0 : leastCell(kind)), most);
    columns = scrolls ? columnLabels(rows, cell) : fittingLabels(rows, cell, width, rowSize);

    const bars = barsOf(layout, data);
    const given = { map, atlas, bars, rowSize, width, theme };
    let sizes = { cell, tall: cell, columns };
    if (map && onFixedHeight() && !scrolls) {
      const smaller = slideCells(rows, sizes, given, data, layout);
      if (rows.length === 1 || placeRows(rows, smaller, given).y <= room()) sizes = smaller; // else it scrolls anyway
    }
    ({ cell, columns } = sizes);
    let { right, y } = grown(rows, sizes, given);
    for (const panel of panels)
      for (const [note] of panel.titles) right = Math.max(right, panel.left + noteWidth(note, TITLE) + EDGE);
    for (const note of atlas ? layout.annotations.filter(({ name }) => name === "bar") : [])
      right = Math.max(right, panels[0].left + noteWidth(note, NUMBER) + EDGE);
    const wanted = right;
    if (!scrolls) right = Math.min(right, width); // a fraction of a pixel more would be a scroll bar
    y = Math.ceil(y); // as Plotly does, so that nothing is a pixel too high when it is drawn
    for (const panel of panels) placeAxes(panel, right, y, columns, rowSize);
    for (const bar of bars) {
      const panel = panels.find((each) => each.x === bar.x);
      if (panel) placeBar(bar, panel, right, y);
    }
    if (atlas) placeCaptions(layout, cell);
    Object.assign(layout, {
      width: right,
      height: y,
      autosize: false,
      margin: { l: 0, r: 0, t: 0, b: 0, pad: 0, autoexpand: false },
    });
    const lowest = kind === "wide" ? Math.min(...panels.map((panel) => panel.height)) : Infinity;
    return { panels, cell, tall: sizes.tall, high: lowest, scrolls, columns, rowSize, wanted };
  }

  /* Where the figure scrolls in its box, the words stay at its edges: HTML in place of Plotly's labels. */
  function stickyLabels(stage, layout, { panels, cell, columns, rowSize }) {
    const add = (parent, className, style) => {
      const element = Object.assign(document.createElement(className ? "div" : "b"), { className });
      Object.assign(element.style, style);
      return parent.appendChild(element);
    };
    const label = (parent, axis, index, id, style) => {
      const name = add(parent, "", style);
      name.textContent = plain(axis.ticktext[index]);
      name.dataset.tick = `${id} ${axis.tickvals?.[index] ?? index}`;
    };
    for (const { x, y, across, down, left, top, head, lines, height, rows } of panels) {
      const box = add(stage, "sticky", {
        top: `${top - head}px`,
        width: `${layout.width}px`,
        height: `${head + height}px`,
      });
      const edge = `${left - 4}px`;
      const strip = add(box, columns.angle ? "sticky-columns upright" : "sticky-columns", {
        height: `${head - lines}px`,
        marginBottom: `${lines}px`,
        fontSize: `${columns.size}px`,
      });
      add(strip, "sticky-corner", { width: edge });
      for (const index of (across.ticktext ?? []).keys())
        label(strip, across, index, x, { left: `${left + ((across.tickvals?.[index] ?? index) + 0.5) * cell}px` });
      if (down.ticktext) {
        const side = add(box, "sticky-rows", { width: edge, height: `${height}px`, fontSize: `${rowSize}px` });
        for (const index of down.ticktext.keys())
          label(side, down, index, y, { top: `${(((down.tickvals?.[index] ?? index) + 0.5) / rows) * height}px` });
        down.showticklabels = false;
      }
      across.showticklabels = false;
    }
  }

  /* What a figure on a slide may be high. */
  const room = () => (onFixedHeight() ? Math.max(SLIDE_LEAST * scale(), innerHeight - aroundFigure() - EDGE - spare) : Infinity);

  const parts = {
    TITLE, NUMBER, LABEL, BAR, EDGE, QUIET, axisName, textWidth, widest, labelsOf, titleLines, shorten, leastCell, columnLabels,
    headOf, barsOf, barLength, placeBar, noteWidth, room, valueWidth, numbers, lying,
  };
  Object.assign(Satzblick, { parts, arrange, stickyLabels, fitted, tighten, overflow, plain, axisName, scale, family });
  Object.assign(Satzblick, { placeTexts, wrapTicks, onSlide, onFixedHeight, aroundFigure, SLIDE_TEXT, AROUND, VALUE_HIGH, VALUE_AIR });
})();
