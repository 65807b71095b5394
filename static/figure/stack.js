/* Places rows over the same words, one below the other; one stack, or several side by side where there is room. */
"use strict";

(() => {
  const { TITLE, NUMBER, LABEL, EDGE, NARROW, QUIET, scale, onSlide, lying, roomHigh } = Satzblick.frame;
  const { plain, axisName, textWidth, widest, labelsOf, titleLines, noteWidth, shorten } = Satzblick.text;
  const { BAR, barsOf, barLength, placeBar } = Satzblick.bars;
  const { leastCell, columnLabels, headOf } = Satzblick.cells;
  const LEAST = { cells: 22, bars: 56, units: 44 }; // on a slide
  const CELL = { most: 92, few: 660, filled: 0.9 }; // few words may take that much together
  const READABLE = 8.5; // pixels of a letter
  const APART = 34;
  const LINES = 4; // of a title
  const FLAT = 1.3; // line height of a title
  const BETWEEN = 10;
  const HEADING = "heading";

  const roomy = (width) => width >= NARROW || lying();
  const heightOf = (row) => row.height * scale();
  const leastOf = (row) => LEAST[row.kind] * (row.kind === "cells" ? row.lines : 1) * scale();

  function stacksOf(spec, layout) {
    return spec.panels.stacks.map(({ x, rows, columns }) => ({
      x,
      columns,
      across: layout[axisName(x)],
      rows: rows.map((row) => ({
        ...row,
        down: layout[axisName(row.y)],
        notes: (layout.annotations ?? []).filter((note) => note.yref === `${row.y} domain`),
      })),
    }));
  }

  /* What stands at the left of a row: the names of its lines, and where it is `short` its own in a word. */
  const beforeRow = ({ down, short: name }, short) =>
    Math.max(short ? textWidth(name, TITLE * scale(), "normal") + 12 : 0, widest(labelsOf(down), LABEL.flat * scale()) + 10);

  /* How wide a cell is, and how many stacks stand side by side; of these the first has the names of the rows. */
  function cells(stacks, width, short) {
    const own = stacks.map(({ rows }, index) => Math.max(EDGE, ...rows.map((row) => beforeRow(row, short && !index))));
    const left = Math.max(...own);
    const totals = stacks.at(-1).rows.flatMap(({ notes }) => notes.filter((note) => note.xanchor === "center"));
    const over = Math.max(0, ...totals.map((note) => (noteWidth(note, TITLE) - leastCell()) / 2));
    const most = Math.max(...stacks.map(({ columns }) => columns));
    const together = stacks.reduce((sum, { columns }) => sum + columns, 0);
    const lefts = (count) => (count > 1 ? own.reduce((sum, each) => sum + each, 0) : left);
    const fitting = (count) => (width - EDGE - over - lefts(count) - (count - 1) * APART) / (count > 1 ? together : most);
    const count = stacks.length;
    const beside = count > 1 && roomy(width) && fitting(count) >= leastCell() ? count : 1;
    return { lefts: beside > 1 ? own : own.map(() => left), beside, fits: Math.min(fitting(beside), Math.max(CELL.most, CELL.few / most) * scale()) };
  }

  /* Where words have to do for the titles of rows, that of the stack stands alone. */
  function split({ notes }, layout) {
    const whole = notes.find((note) => note.text.startsWith("<b>") && note.xanchor !== "center");
    if (!whole) return;
    notes.push({ ...whole, name: HEADING, text: whole.text.split("<br>")[0] });
    layout.annotations.push(notes.at(-1));
  }

  /* The titles over a row, and the name of its last column. On a slide a word at the left of the `first` stack has to do. */
  function title(row, { width, inner, cell, shift, theme, short, first }) {
    const size = TITLE * scale();
    const column = row.notes.find((note) => note.xanchor === "center"); // which has a name of its own
    const free = column ? (column.x + 0.5) * cell - noteWidth(column, TITLE) / 2 - EDGE : inner;
    let height = 0;
    for (const note of row.notes) {
      const over = note === column;
      note.font = { color: QUIET[theme], ...note.font, size };
      if (over || !short || note.name === HEADING) {
        const room = row.notes.length > 1 && note.name !== HEADING ? Math.min(inner, free) : width;
        const lines = over ? [note.text] : note.text.split("<br>").flatMap((part) => wrapped(part, size, room));
        const inGap = over && short && noteWidth(note, TITLE) + 2 * EDGE < cell / 2;
        if (!inGap) height = Math.max(height, lines.length * size * FLAT + 4);
        Object.assign(note, { text: lines.join("<br>"), yshift: over ? 0 : shift });
        if (inGap) Object.assign(note, { x: note.x - 0.5, xanchor: "right", xshift: -EDGE, y: 0.5, yanchor: "middle" });
      } else if (!first || labelsOf(row.down).length) note.visible = false;
      else Object.assign(note, { text: row.short, x: 0, xanchor: "right", xshift: -8, y: 0.5, yanchor: "middle" });
    }
    return height;
  }

  function wrapped(text, size, width) {
    const lines = titleLines(text, size, width, LINES, text.startsWith("<b>") ? "bold" : "normal");
    return text.startsWith("<b>") ? lines.map((line) => `<b>${line}</b>`) : lines;
  }

  /* On a slide the tall rows give way first. */
  function heights(stack, around, alone) {
    const usual = stack.rows.map(heightOf);
    const whole = usual.reduce((sum, height) => sum + height, 0);
    const room = alone ? roomHigh() - around : Infinity;
    if (room >= whole) return usual;
    const least = stack.rows.map(leastOf);
    const short = least.reduce((sum, height) => sum + height, 0);
    const share = Math.max(0, (room - short) / (whole - short));
    return usual.map((height, index) => least[index] + share * (height - least[index]));
  }

  /* Where a note ends that may reach beyond its stack. */
  function reach(note, left, cell) {
    const wide = noteWidth(note, TITLE);
    if (note.visible === false || note.xanchor === "right") return 0;
    return note.xanchor === "center" ? left + (note.x + 0.5) * cell + wide / 2 : left + wide;
  }

  function placeAxes({ across, rows, left, width: wide }, width, height, columns) {
    const common = { automargin: false, fixedrange: true, ticks: "", ticklabeloverflow: "allow" };
    Object.assign(across, common, {
      tickfont: { ...across.tickfont, size: columns.size, weight: "bold" },
      ticktext: across.ticktext.map((text) => shorten(text, columns.size, LABEL.longest * scale())),
      domain: [left / width, (left + wide) / width],
      tickangle: columns.angle,
      ticklabelstandoff: 2,
    });
    for (const { down, top, high } of rows)
      Object.assign(down, common, {
        domain: [1 - (top + high) / height, 1 - top / height],
        tickfont: { ...down.tickfont, size: LABEL.flat * scale() },
        ticklabelstandoff: 6,
      });
  }

  /* Colour bars side by side below the rows, as many as fit in a line; gives their height. */
  function placeBars(layout, data, left, top, width) {
    const placed = [];
    let [x, y] = [left, top];
    for (const { owner } of barsOf(layout, data)) {
      const long = barLength(owner, { width: 200 * scale() });
      if (x > left && x + long > width) [x, y] = [left, y + (BAR.room + BAR.title) * scale()];
      placed.push([{ owner, top: y + BAR.above * scale() }, { left: x, width: long }]);
      x += long + APART * scale();
    }
    return { placed, height: placed.length ? y - top + (BAR.room + BAR.title) * scale() : EDGE };
  }

  /* Bars leave room for their numbers, which go where they would touch. */
  function numbers(data, stacks, cell) {
    const rows = new Map(stacks.flatMap((stack) => stack.rows.map((row) => [row.y, row])));
    for (const trace of data.filter((each) => each.type === "bar")) {
      const size = onSlide() ? NUMBER * scale() : Math.min(NUMBER * scale() * 1.1, cell * 0.3);
      const { down, high, limit } = rows.get(trace.yaxis);
      down.range = [0, (limit * high) / (high - 1.6 * size)];
      trace.textfont = { ...trace.textfont, size };
      const fits = (text) => textWidth(plain(text), size, "normal") <= cell;
      // A share that rounds to nothing is longer than others: it goes alone, not with the numbers of all bars.
      const shares = (trace.text ?? []).filter((text) => !plain(text).startsWith("<"));
      if (size < READABLE || !shares.every(fits)) delete trace.text;
      else trace.text = trace.text?.map((text) => (fits(text) ? text : ""));
    }
  }

  /* The rows of the stacks that stand side by side, each row at one height in all of them; gives where they end. */
  function placeRows(group, { y, columns, cell, theme, short, width, alone }) {
    const head = headOf(group, columns);
    const count = Math.max(...group.map(({ rows }) => rows.length));
    const most = (values) => Math.max(0, ...values.filter((value) => value !== undefined));
    const titles = group.map((stack) => {
      const room = group.length > 1 ? stack.width : Math.max(stack.width, width - stack.left - EDGE);
      const inner = stack.across.ticktext.length * cell;
      const given = { width: room, inner, cell, theme, short, first: stack === group[0] };
      return stack.rows.map((row, place) => title(row, { ...given, shift: place ? 0 : head }));
    });
    const above = Array.from({ length: count }, (_, place) => most(titles.map((own) => own[place])));
    const around = above.reduce((sum, high) => sum + high + BETWEEN, head) + (BAR.room + BAR.title + BAR.above) * scale();
    const high = group.map((stack) => heights(stack, around, alone));
    for (let place = 0; place < count; place++) {
      y += above[place] + (place ? BETWEEN : head);
      for (const [index, { rows }] of group.entries())
        if (rows[place]) Object.assign(rows[place], { top: y, high: high[index][place] });
      y += most(high.map((own) => own[place]));
    }
    for (const stack of group) Object.assign(stack, { head, bottom: y });
    return y;
  }

  /* Changes layout and data in place, as arrange does for maps. */
  function arrangeStack(spec, layout, data, width, { theme }) {
    const stacks = stacksOf(spec, layout);
    const brief = onSlide() && roomy(width) && stacks.every(({ rows }) => rows.every((row) => row.short));
    const short = brief && (stacks.length === 1 || cells(stacks, width, true).beside > 1);
    const { lefts, beside, fits } = cells(stacks, width, short);
    if (short) for (const { rows } of stacks) split(rows[0], layout);
    const scrolls = fits < leastCell();
    const cell = Math.max(leastCell(), fits);
    const columns = columnLabels([stacks], cell);
    let [right, y] = [0, 0];
    for (const group of beside > 1 ? [stacks] : stacks.map((stack) => [stack])) {
      if (y) y += APART;
      let x = 0;
      for (const stack of group) {
        Object.assign(stack, { left: x + lefts[stacks.indexOf(stack)], width: stack.columns * cell });
        x = stack.left + stack.width + APART;
        right = Math.max(right, stack.left + stack.width + columns.slack + EDGE);
      }
      y = placeRows(group, { y, columns, cell, theme, short, width, alone: group.length === stacks.length });
    }
    const under = placeBars(layout, data, stacks[0].left, Math.max(...stacks.map(({ bottom }) => bottom)), Math.max(right, width));
    for (const [, { left: at, width: long }] of under.placed) right = Math.max(right, at + long + 2 * EDGE);
    for (const { rows, left: at } of stacks)
      for (const { notes } of rows)
        for (const note of notes)
          right = Math.max(right, reach(note, at, cell) + EDGE);
    if (!scrolls) right = Math.min(right, width);
    const height = Math.ceil(Math.max(...stacks.map(({ bottom }) => bottom)) + under.height);
    for (const stack of stacks) placeAxes(stack, right, height, columns);
    for (const [bar, panel] of under.placed) placeBar(bar, panel, right, height);
    numbers(data, stacks, cell);
    Object.assign(layout, {
      width: right,
      height,
      autosize: false,
      margin: { l: 0, r: 0, t: 0, b: 0, pad: 0, autoexpand: false },
    });
    const panels = stacks.map(({ x, across, left: at, rows, head, bottom }) => ({
      x, y: rows[0].y, across, down: {}, left: at, top: rows[0].top, head, lines: 0, height: bottom - rows[0].top, rows: 1,
    }));
    return { panels, cell, filled: cell * CELL.filled, scrolls, columns, rowSize: LABEL.flat * scale() };
  }

  Satzblick.stack = { arrangeStack };
})();
