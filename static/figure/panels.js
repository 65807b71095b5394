/* Places every panel of a figure in pixels: square cells, labels that fit, panels stacked where it is narrow. */
"use strict";

(() => {
  const { SLIDE_TEXT, TITLE, NUMBER, LABEL, EDGE, NARROW, QUIET } = Satzblick.frame;
  const { scale, onSlide, onPaper, onFixedHeight, fitsHeight, leastLetters, roomHigh, fitted } = Satzblick.frame;
  const { plain, textWidth, shorten, titleLines, axisName, span, labelsOf, widest, noteWidth } = Satzblick.text;
  const { BAR, barsOf, barLength, placeBar } = Satzblick.bars;
  const { GAP, leastCell, leftOf, cellFor, rowsOf, usualCell, largestCell } = Satzblick.cells;
  const { columnLabels, fittingLabels, headOf, valueRoom } = Satzblick.cells;
  const { arrangeStack } = Satzblick.stack;
  const CAPTION = { most: 13, least: 8.5, high: 0.15, wide: 0.94, below: 22, bar: 18, narrow: 12 };
  const WIDE_HEIGHT = 420;
  const SHARED = { page: 1.35, paper: 1.7 }; // so much lower in two rows, which a sheet of paper holds
  const WIDE_LEAST = 90;
  const FLATTEST = 2.2; // cells of a slide are at most so much wider than high
  const TITLE_LINES = 3; // that of a difference says what its colours mean
  const TITLE_SIZES = [1, 0.9, 0.8];
  const NAME_HIGH = 1.15; // of a row with a name, by the size of its letters
  const LINE = { height: 64, share: 0.1, gap: 14 }; // over a map; on a slide at most that share of its height

  const lineHigh = () => Math.min(LINE.height * scale(), onFixedHeight() ? LINE.share * innerHeight : Infinity);

  /* What numbers of rows take at the left, or what they are called instead. */
  const besideNumbers = ({ labelalias }) =>
    Math.max(3 * NUMBER * scale(), ...Object.values(labelalias ?? {}).map((name) => textWidth(name, NUMBER * scale(), "normal")));

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
        beside: (numbered ? besideNumbers(down) : 0) + (down.title?.text ? 2 * TITLE * scale() : 0) + 10,
        names: labelsOf(down),
      };
    });
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
     scale's texts below it, the last as large as the room allows. */
  function placeCaptions(layout, cell, room) {
    const named = (name) => layout.annotations.filter((note) => note.name === name);
    const readable = onSlide() ? SLIDE_TEXT * scale() : CAPTION.least;
    const sized = (texts) => {
      const long = Math.max(...texts.map((text) => textWidth(plain(text), 10, "normal")));
      return Math.min((onSlide() ? SLIDE_TEXT : CAPTION.most) * scale(), cell * CAPTION.high, (10 * cell * CAPTION.wide) / long);
    };
    const whole = named("caption").map((note) => note.text);
    const brief = whole.map((text) => text.split(" ")[0]);
    const texts = sized(whole) >= readable ? whole : brief;
    const size = sized(texts);
    named("caption").forEach((note, index) =>
      Object.assign(note, { text: texts[index], visible: size >= readable, font: { ...note.font, size } }),
    );
    const small = onSlide() ? NUMBER * scale() : Math.min(NUMBER * scale(), Math.max(CAPTION.least, cell * 0.35));
    for (const note of named("tick")) Object.assign(note, { yshift: -2, font: { ...note.font, size: small } });
    for (const note of named("bar")) {
      const size = NUMBER * scale() * Math.min(1, room / noteWidth(note, NUMBER));
      Object.assign(note, { yshift: -CAPTION.bar * scale(), font: { ...note.font, size } });
    }
  }

  /* The height of panels with cells of any shape; `above` is what stands over them. Names of rows keep their lines. */
  function wide(rows, row, above, rowSize) {
    const others = above + (BAR.room + BAR.title + 2 * TITLE) * scale();
    const least = Math.max(WIDE_LEAST * scale(), ...row.map(({ names }) => names.length * rowSize * NAME_HIGH));
    if (rows > 1 && onFixedHeight()) return Math.max(least, roomHigh() / rows - others);
    if (rows > 1) return (WIDE_HEIGHT * scale()) / (onPaper() ? SHARED.paper : SHARED.page);
    return Math.max(least, fitted(WIDE_HEIGHT * scale() + others) - others);
  }

  /* Panels with cells of any shape take what was left of a slide's height. */
  function grown(rows, sizes, given) {
    const placed = placeRows(rows, sizes, given);
    const spared = onFixedHeight() && !given.map ? roomHigh() - placed.y : 0;
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

  /* On a slide cells are as high as its height allows, and wider than that where words then stand flat and values fit. */
  function slideCells(rows, first, given, data, layout) {
    const { atlas, width, rowSize } = given;
    const most = rows.reduce((sum, row) => sum + Math.max(...row.map((panel) => panel.rows)), 0);
    const [least, largest] = [atlas ? 24 * scale() : leastCell("map"), usualCell(rows.flat(), most)];
    const sized = (cell, tall) => {
      const columns = columnLabels(rows, cell);
      const spared = roomHigh() - placeRows(rows, { cell, tall, columns }, given).y;
      const high = Math.min(largest, Math.max(least, tall + spared / most));
      return { columns, high, free: cellFor(rows, width - columns.slack, rowSize) };
    };
    const flat = 4.5 + widest(rows.flat().flatMap((panel) => labelsOf(panel.across)), LABEL.usual * scale());
    const size = SLIDE_TEXT * scale();
    const texts = data.filter((trace) => trace.texttemplate).map((trace) => valueRoom(trace, layout, size));
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
    if (kind === "stack") return arrangeStack(spec, layout, data, width, { theme });
    const dense = paper || onSlide(); // little height: rather small cells than a second row of panels
    const atlas = kind === "atlas";
    const map = atlas || kind === "map";
    const panels = panelsOf(spec, layout);
    let rowSize = (atlas && (paper || width < NARROW) ? CAPTION.narrow : LABEL.usual) * scale();
    let { rows, cell } = rowsOf(panels, kind, width, rowSize, dense);
    const most = map ? largestCell(panels, rows) : Infinity;
    if (map) rowSize = Math.max(leastLetters(), Math.min(rowSize, cell * 0.8));
    let columns = columnLabels(rows, Math.min(cell, most));
    ({ rows, cell } = rowsOf(panels, kind, width - columns.slack, rowSize, dense));
    const scrolls = !atlas && cell < leastCell(kind);
    cell = Math.min(Math.max(cell, atlas ? 0 : leastCell(kind)), most);
    columns = scrolls ? columnLabels(rows, cell, true) : fittingLabels(rows, cell, width, rowSize); // at an edge never slanted

    const bars = barsOf(layout, data);
    const given = { map, atlas, bars, rowSize, width, theme };
    let sizes = { cell, tall: cell, columns };
    if (map && fitsHeight() && !scrolls) {
      const smaller = slideCells(rows, sizes, given, data, layout);
      if (rows.length === 1 || placeRows(rows, smaller, given).y <= roomHigh()) sizes = smaller; // else it scrolls anyway
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
    if (atlas) placeCaptions(layout, cell, right - panels[0].left - EDGE);
    Object.assign(layout, {
      width: right,
      height: y,
      autosize: false,
      margin: { l: 0, r: 0, t: 0, b: 0, pad: 0, autoexpand: false },
    });
    const lowest = kind === "wide" ? Math.min(...panels.map((panel) => panel.height)) : Infinity;
    return { panels, cell, tall: sizes.tall, high: lowest, scrolls, columns, rowSize, wanted };
  }

  Satzblick.panels = { arrange };
})();
