/* Draws the figures of a page with Plotly and links words to cells. */
"use strict";

(() => {
  const VALUES_FROM = 32; // cells smaller than this show no number
  const TABLE_TEXT = 9; // pixels: smaller texts are left out
  const HEIGHT = 420;
  const EDGE = 6;
  const TITLE_SIZE = 1.2; // of an axis, in Plotly, beside other labels
  const RIGHT_AXIS = 4; // in letters
  const WIDE = 1.4; // a slide this much wider than high has room beside the figure
  const LYING = 1.2; // a frame this much wider than high is taken for a slide
  const PLOT = { least: 180, share: 0.5, units: 0.8 }; // of a chart in a small frame, pixels and share of its height, before caption
  // and legend give way; of units in thin rows that much of it
  const ALMOST = 0.9; // of the highest plot: more is not worth smaller letters or the caption
  const AROUND_PLOT = 2.5; // Plotly's own margins, in letters
  const SLANT = 0.75; // of a name's width, which it is high where it stands slanted
  const SMALLER = [1, 0.92, 0.84, 0.76, 0.68, 0.6]; // of the scale asked for, where the frame has no room
  const LEAST_SCALE = 0.75; // letters of 12 pixels
  const PAPER_WIDTH = 660;
  const BESIDE_PLOT = 8; // what stands at the left of a chart and its legend, in letters
  const LEGEND_MARK = 70; // what stands beside a name in the legend
  const LEGEND_LINE = 1.4; // the height of a line in it, in letters
  const LABEL_LINE = 1.2; // and of one beside a curve
  const LEGEND_SHARE = 0.2; // of a figure's usual height, which a legend may take
  const INK_TURN = 0.179; // luminance at which black and white have the same contrast
  const NARROW = 640; // charts have no room for names beside their curves
  const { arrange, stickyLabels, fitted, tighten, overflow, plain, axisName, scale, family } = Satzblick;
  const { onSlide, onFixedHeight, aroundFigure, parts, placeTexts, wrapTicks, SLIDE_TEXT, AROUND, VALUE_HIGH, VALUE_AIR } = Satzblick;

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const drawn = new WeakMap(); // figure element → { spec, plot, words, shown, pinned, width }
  const root = document.documentElement;
  const asked = scale();
  let printing = false;

  function theme() {
    const chosen = document.documentElement.dataset.theme;
    if (printing) return "light";
    return chosen === "auto" ? (dark.matches ? "dark" : "light") : chosen;
  }

  /* What a theme changes in a layout, level by level. */
  function patch(layout, changes) {
    for (const [name, value] of Object.entries(changes)) {
      if (layout[name] && typeof value === "object" && !Array.isArray(value)) patch(layout[name], value);
      else layout[name] = value;
    }
    return layout;
  }

  /* Names of the axes "x" or "y" that are longer than these are stand in two lines. */
  function wrapTitles(layout, letter, long) {
    const size = layout.font.size * TITLE_SIZE;
    for (const [name, axis] of Object.entries(layout)) {
      if (!name.startsWith(`${letter}axis`) || !axis.title?.text) continue;
      const [from, to] = axis.domain ?? [0, 1];
      const room = long * (to - from);
      if (parts.textWidth(plain(axis.title.text), size, "normal") > room)
        axis.title.text = parts.titleLines(axis.title.text, size, Math.max(room, 8 * size)).join("<br>");
    }
  }

  /* Names in a legend that are wider than the figure stand in two lines. */
  function withShortNames(layout, data, width) {
    const [size, room] = [layout.font.size, width - LEGEND_MARK * scale()];
    const wide = ({ name }) => name && parts.textWidth(plain(name), size, "normal") > room;
    if (!layout.showlegend) return data;
    const named = data.map((trace) => (wide(trace) ? { ...trace, name: parts.titleLines(trace.name, size, room).join("<br>") } : trace));
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
    const widest = Math.max(...names.flat().map((line) => parts.textWidth(plain(line), size, "normal")));
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
      const [value] = parts.numbers(y);
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
    const longest = Math.max(0, ...names.flat().map((line) => parts.textWidth(plain(line), size)));
    const slanted = longest > (width - 5 * size) / names.length;
    const below = slanted ? SLANT * longest + size : LEGEND_LINE * size * Math.max(1, ...names.map((lines) => lines.length));
    const legend = layout.showlegend ? legendHigh(layout, data, width) + size : 0;
    const title = layout.xaxis.title?.text ? (1 + layout.xaxis.title.text.split("<br>").length) * size : 0;
    return layout.height - AROUND_PLOT * size - legend - below - title;
  }

  /* What Plotly takes for this width, and how it was arranged. */
  function laidOut(state, width) {
    const { spec } = state;
    const layout = patch(structuredClone(spec.layout), spec.themes[theme()]);
    let data = spec.data.map((trace) => painted(walked(framed(trace, state), state.step)));
    layout.font = { ...layout.font, family: family() };
    layout.hoverlabel = {
      ...layout.hoverlabel,
      font: { ...layout.hoverlabel?.font, family: family(), size: 14 * scale() },
    };
    layout.dragmode = false;
    let [placed, whole] = [null, false];
    for (const [name, axis] of Object.entries(layout)) if (state.bare && /^coloraxis/.test(name)) axis.showscale = false;
    if (spec.panels?.columns?.length && spec.panels.kind !== "chart") {
      placed = arrange(spec, layout, data, width, { theme: theme(), paper: printing });
      const digits = onSlide() ? SLIDE_TEXT * scale() : Math.min(13 * scale(), (placed.filled ?? placed.cell) * 0.27);
      for (const trace of data.filter((each) => each.texttemplate)) {
        const tabular = spec.panels.kind === "table";
        const size = tabular ? tableText(trace, placed, digits) : digits;
        const room = tabular ? size : onSlide() ? holds(placed, trace, layout, size) : placed.cell >= VALUES_FROM;
        if (!room) delete trace.texttemplate;
        else trace.textfont = { ...trace.textfont, size };
      }
    } else {
      const all = data.length;
      layout.font.size = Math.max(layout.font.size, onSlide() ? SLIDE_TEXT : 0) * scale();
      for (const trace of data)
        if (trace.line) trace.line = { ...trace.line, width: (trace.line.width ?? 2) * scale() };
      const usual = (layout.height ?? HEIGHT) * (onFixedHeight() ? asked : scale()); // smaller letters leave more to the plot
      Object.assign(layout, { width, height: Math.floor(fitted(usual)), autosize: false });
      whole = layout.height >= Math.floor(usual);
      wrapTitles(layout, "x", width - 5 * TITLE_SIZE * layout.font.size);
      if (width < NARROW * scale() || crowded(data, layout, width)) data = withLegend(data, layout);
      const right = layout.yaxis2?.side === "right" ? RIGHT_AXIS * layout.font.size : 0;
      wrapTicks(layout.xaxis, width - right, layout.font.size);
      if (state.bare && data.length === all) layout.showlegend = false;
      data = withShortNames(layout, data, width);
      wrapTitles(layout, "y", plotHigh({ layout, data }, width) + layout.font.size);
      if ((onSlide() || width < NARROW) && data.length === all)
        placeTexts(spec.data, layout, width)?.forEach((texts, index) => {
          for (const [name, values] of Object.entries(texts)) data[index][name] = values.slice(0, data[index][name].length);
        });
    }
    return { layout, data, placed, whole }; // whole: as high as it would be on a page
  }

  /* Whether the cells of a slide hold their texts, which are as large as other labels. */
  const holds = ({ cell, tall = cell }, trace, layout, size) =>
    parts.valueWidth(trace, layout, size) + VALUE_AIR <= cell + 0.5 && VALUE_HIGH * size <= tall;

  /* On a wide slide the caption stands below the figure or beside it: where the figure is larger for it. */
  function settle(figure, state) {
    const kind = state.spec.panels?.kind;
    const size = (aside) => {
      document.body.classList.toggle("aside", aside);
      const column = aside ? [...document.querySelectorAll(".summary, .source")] : [];
      if (column.some((part) => part.getBoundingClientRect().bottom > innerHeight - EDGE)) return -innerHeight;
      const { layout, data, placed } = laidOut(state, Math.floor(figure.clientWidth));
      if (placed?.scrolls) return -innerHeight;
      if (placed?.wanted > figure.clientWidth + EDGE || (kind === "table" && !data.some((trace) => trace.texttemplate))) return 0;
      const over = layout.height + aroundFigure() - innerHeight;
      if (over > EDGE) return -over;
      if (kind === "map" || kind === "atlas") return placed.cell * placed.tall;
      return layout.width * Math.max(1, layout.height - AROUND * scale());
    };
    const caption = !document.body.classList.contains("brief") && document.querySelector(".summary");
    const wide = !printing && onFixedHeight() && innerWidth > WIDE * innerHeight && caption;
    document.body.classList.toggle("aside", Boolean(wide && size(true) > size(false)));
  }

  /* What Plotly takes, on a stage of its size; what turns out too high is laid out once more, smaller. */
  function staged(figure, state) {
    const stage = figure.querySelector(".stage");
    const lay = () => {
      const width = printing ? PAPER_WIDTH : Math.floor(figure.clientWidth);
      const made = laidOut(state, width);
      stage.style.width = `${made.layout.width}px`;
      stage.style.height = `${made.layout.height}px`;
      return { ...made, width };
    };
    tighten(0);
    settle(figure, state);
    const made = lay();
    if (!overflow()) return made;
    tighten(overflow());
    return lay();
  }

  /* Nobody scrolls in a slide: where a figure is larger than its frame, all letters become smaller, within limits. Where
     that is not enough, the caption goes, then the legend or the bars of the colours. */
  function framedIn(figure, state) {
    const at = ({ factor, brief }) => {
      root.style.setProperty("--scale", asked * factor);
      document.body.classList.toggle("brief", brief > 0);
      state.bare = brief > 1;
      return staged(figure, state);
    };
    const lying = !printing && onFixedHeight() && innerWidth > LYING * innerHeight;
    const whole = { factor: 1, brief: 0 };
    if (!lying) return at(whole);
    const factors = SMALLER.filter((factor) => factor === 1 || asked * factor >= LEAST_SCALE);
    const wordy = ["table", "map"].includes(state.spec.panels?.kind) && state.spec.data.some((trace) => trace.texttemplate);
    const mute = ({ data }) => wordy && !data.some((trace) => trace.texttemplate);
    const least = ({ placed }) => Math.min(PLOT.least, PLOT.share * innerHeight) * (placed ? PLOT.units : 1);
    const flat = []; // those that fit, although little is left of the chart
    for (const brief of [0, 1, 2]) {
      let silent = null; // the first that fits, although its cells say nothing: that needs width
      for (const factor of factors) {
        const made = at({ factor, brief });
        if (overflow() || made.placed?.scrolls) continue;
        const high = plotHigh(made, made.width);
        if (mute(made)) silent ??= { factor, brief };
        else if (!made.whole && high < least(made)) flat.push({ factor, brief, high });
        else return made;
      }
      if (silent) return at(silent);
    }
    const most = Math.max(...flat.map(({ high }) => high));
    return at(flat.find(({ high }) => high >= ALMOST * most) ?? whole);
  }

  function draw(figure) {
    if (!figure.clientWidth) return;
    const state = drawn.get(figure);
    const { spec } = state;
    const { layout, data, placed, width } = framedIn(figure, state);
    const stage = figure.querySelector(".stage");
    figure.classList.toggle("scrolls", Boolean(placed?.scrolls));
    stage.querySelectorAll(".sticky").forEach((old) => old.remove());
    if (placed?.scrolls) stickyLabels(stage, layout, placed);
    state.width = width;
    Plotly.react(state.plot, data, layout, {
      displayModeBar: false,
      responsive: false,
      doubleClick: false,
      showTips: false,
    });
    const first = !state.ready;
    state.ready = true;
    if (first) listen(figure);
    show(figure, state.shown);
    veil(figure);
    thin(state.plot);
    inkCells(state.plot);
    placeLinks(figure);
    document.dispatchEvent(new Event("satzblick:drawn"));
    if (first) document.dispatchEvent(new CustomEvent("satzblick:started", { detail: figure }));
  }

  /* What can be read better on the cell of a value: black or white; near the turn no other ink has enough contrast. */
  function inkOn(value, { colorscale, cmin, cmax }) {
    const share = Math.max(0, Math.min(1, (value - cmin) / (cmax - cmin)));
    const above = Math.max(1, colorscale.findIndex(([place]) => place >= share));
    const [[from, low], [to, high]] = colorscale.slice(above - 1, above + 1);
    const part = to > from ? (share - from) / (to - from) : 0;
    const [red, green, blue] = [1, 3, 5].map((at) => {
      const [dim, bright] = [low, high].map((colour) => parseInt(colour.slice(at, at + 2), 16) / 255);
      const mixed = dim + part * (bright - dim);
      return mixed <= 0.04045 ? mixed / 12.92 : ((mixed + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue > INK_TURN ? "#000000" : "#ffffff";
  }

  function inkCells(plot) {
    for (const label of plot.querySelectorAll(".hm .heatmap-label text")) {
      const { trace } = label.closest(".hm").__data__[0];
      const { z } = label.__data__;
      if (Number.isFinite(z)) label.style.fill = inkOn(z, plot._fullLayout[trace.coloraxis]);
    }
  }

  /* On a plane the first labels stay, those that would cover them wait for the pointer: a phone has little room. */
  function thin(plot) {
    if (!plot.layout.yaxis?.scaleanchor) return;
    const kept = [];
    for (const label of plot.querySelectorAll(".textpoint text")) {
      const { left, right, top, bottom } = label.getBoundingClientRect();
      const covers = kept.some((box) => left < box.right - 1 && box.left < right - 1 && top < box.bottom - 4 && box.top < bottom - 4);
      label.style.visibility = covers ? "hidden" : "";
      if (!covers) kept.push({ left, right, top, bottom });
    }
  }

  /* As large as the longest text of a table allows; 0 where that could not be read. */
  function tableText(trace, { panels }, usual) {
    const { width, height, columns, rows } = panels.find(({ x }) => x === (trace.xaxis ?? "x"));
    const longest = Math.max(1, ...trace.text.flat().map((text) => text.length));
    const size = Math.min(usual, (width / columns - 6) / (0.6 * longest), (0.7 * height) / rows);
    return size >= (onSlide() ? usual : TABLE_TEXT) ? size : 0;
  }

  /* A narrow chart has no room for names beside its curves: they stand above, and the axis ends with the curves. */
  function withLegend(data, layout) {
    const curves = data.filter((trace) => !trace.meta?.label);
    if (curves.length < data.length) {
      layout.showlegend = curves.filter((trace) => trace.showlegend !== false).length > 1;
      if (layout.xaxis.range && layout.meta?.ends) layout.xaxis.range = [layout.xaxis.range[0], layout.meta.ends];
    }
    return curves;
  }

  /* An image's palette is the head of its address, one for each theme. */
  function painted(trace) {
    const head = trace.meta?.heads?.[theme()];
    return head ? { ...trace, source: head + trace.source.slice(head.length) } : trace;
  }

  /* ── links: the list that the page has without scripts is laid over the figure ── */
  const placesOf = (figure) => figure.closest(".figure-frame").querySelector(".places");

  function placeLinks(figure) {
    const places = placesOf(figure);
    if (!places) return;
    const stage = figure.querySelector(".stage");
    const axes = drawn.get(figure).plot._fullLayout;
    const links = [...places.querySelectorAll("a")];
    if (!places.classList.contains("placed")) links.forEach((link, index) => (link.tabIndex = index ? -1 : 0));
    places.classList.add("placed");
    Object.assign(places.style, { left: `${stage.offsetLeft}px`, top: `${stage.offsetTop}px` });
    for (const link of links) {
      const [across, down] = link.dataset.axes.split(" ").map((id) => axes[axisName(id)]);
      const [left, top, right, bottom] = link.dataset.box.split(" ").map(Number);
      const clip = (place, from, size) => Math.max(0, Math.min(size, place - from)); // to what the box shows of it
      const [x0, x1] = [left, right].map((at) => clip(across._offset + across.l2p(at), figure.scrollLeft, figure.clientWidth));
      const [y0, y1] = [top, bottom].map((at) => clip(down._offset + down.l2p(at), figure.scrollTop, figure.clientHeight));
      Object.assign(link.style, {
        left: `${x0}px`,
        top: `${y0}px`,
        width: `${x1 - x0}px`,
        height: `${y1 - y0}px`,
        visibility: x1 > x0 && y1 > y0 ? "" : "hidden",
      });
    }
  }

  /* The nearest link that lies that way. */
  function neighbour(link, key) {
    const middle = (box) => [box.left + box.width / 2, box.top + box.height / 2];
    const [x, y] = middle(link.getBoundingClientRect());
    const [right, down] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[key];
    let [best, least] = [null, Infinity];
    for (const other of link.closest(".places").querySelectorAll("a")) {
      const [otherX, otherY] = middle(other.getBoundingClientRect());
      const ahead = (otherX - x) * right + (otherY - y) * down;
      const aside = Math.abs((otherX - x) * down) + Math.abs((otherY - y) * right);
      if (ahead > 1 && ahead + 3 * aside < least) [best, least] = [other, ahead + 3 * aside];
    }
    return best;
  }

  function tellLink(link) {
    const line = link.closest(".figure-frame").querySelector(".word-line");
    line.textContent = link.textContent;
    line.classList.add("lit");
  }

  const linkOf = (target) => target.closest?.(".places.placed a");
  document.addEventListener("keydown", (event) => {
    const link = linkOf(event.target);
    if (!link || !event.key.startsWith("Arrow") || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    neighbour(link, event.key)?.focus();
  });
  document.addEventListener("focusin", ({ target }) => {
    const link = linkOf(target);
    if (!link) return;
    for (const other of link.closest(".places").querySelectorAll("a")) other.tabIndex = other === link ? 0 : -1;
    tellLink(link);
  });
  document.addEventListener("mouseover", ({ target }) => linkOf(target) && tellLink(linkOf(target)));
  document.addEventListener("mouseout", ({ target }) => linkOf(target) && unhover());

  /* ── rows that lead elsewhere: one link for each map, which goes along with what is pointed at ── */
  const onwardOf = (figure) => [...figure.closest(".figure-frame").querySelectorAll(".onward a")];
  const rowsOf = (link) => JSON.parse(link.dataset.rows);

  function aim(link, index) {
    const { address, asks, words, label } = rowsOf(link);
    if (asks[index] === undefined) return false;
    link.setAttribute("href", `${address}&${asks[index]}`);
    link.textContent = label.replace("%word", () => words[index]);
    return true;
  }

  function aimAt(figure, word) {
    const { spec, words } = drawn.get(figure);
    for (const link of word ? onwardOf(figure) : []) {
      const entry = spec.tokens.find(({ axis }) => axis === rowsOf(link).axis);
      const index = entry?.positions.indexOf(twin(words, word, entry.run)) ?? -1;
      if (index >= 0) aim(link, index);
    }
  }

  function open(figure, point) {
    const link = onwardOf(figure).find((each) => rowsOf(each).axis === point.yaxis._id);
    if (link && aim(link, point.pointIndex[0])) link.click();
  }

  /* Enter opens the row of the word that is lit. */
  function openLit(figure) {
    const { spec, shown } = drawn.get(figure);
    const word = shown?.row;
    const own = spec.tokens.filter(({ run, axis }) => run === word?.run && axis.startsWith("y"));
    onwardOf(figure).find((link) => own.some(({ axis }) => axis === rowsOf(link).axis))?.click();
  }

  /* ── playback: what comes after the step stays hidden; of frames one is seen ── */
  const isFrame = (trace) => trace.meta?.frame !== undefined;

  const isLater = (trace) => trace.meta?.from > 0;

  function framed(trace, { spec, step }) {
    if (isLater(trace)) return { ...trace, visible: trace.meta.from <= (step ?? spec.playback.length) };
    if (!isFrame(trace)) return trace;
    return { ...trace, visible: trace.meta.frame === (step ?? spec.playback.length - 1) };
  }

  function walked(trace, step) {
    if (step === null || !trace.meta?.walked) return { ...trace };
    const upTo = (values) => (Array.isArray(values) ? values.slice(0, step + 1) : values);
    const shown = ["x", "y", "text", "hovertext", "textposition"].map((name) => [name, upTo(trace[name])]);
    return { ...trace, ...Object.fromEntries(shown.filter(([, value]) => value !== undefined)) };
  }

  function veil(figure) {
    const { spec, plot, step } = drawn.get(figure);
    const stage = figure.querySelector(".stage");
    stage.querySelectorAll(".veil").forEach((old) => old.remove());
    if (step === null || spec.panels?.kind === "chart" || spec.data.some((trace) => isFrame(trace) || isLater(trace))) return;
    for (const [x, y, line] of spec.panels?.columns ?? []) {
      const entry = spec.tokens.find((each) => each.axis === x);
      const hidden = entry?.positions.findIndex((position) => position > step) ?? -1;
      if (hidden < 0) continue;
      const [across, down] = [plot._fullLayout[axisName(x)], plot._fullLayout[axisName(y)]];
      const left = across._offset + across.l2p(hidden - 0.5);
      const top = line ? plot._fullLayout[axisName(line)]._offset : down._offset;
      const cover = Object.assign(document.createElement("div"), { className: "veil" });
      Object.assign(cover.style, {
        left: `${left}px`,
        top: `${top}px`,
        width: `${across._offset + across._length - left}px`,
        height: `${down._offset + down._length - top}px`,
      });
      stage.append(cover);
    }
  }

  /* Shows a figure up to a step; the last step is the whole figure. */
  function reveal(figure, step) {
    const state = drawn.get(figure);
    state.step = step >= state.spec.playback.length - 1 ? null : step;
    if (state.spec.data.some((trace) => trace.meta?.walked || isFrame(trace) || isLater(trace))) draw(figure);
    else veil(figure);
  }

  const stepsOf = (figure) => drawn.get(figure)?.spec.playback ?? [];

  /* ── words ───────────────────────────────────────────────────────────── */
  /* A word is {run, position}; its twin in another run is the same word, counted from the left. */
  function wordsOf(spec) {
    const runs = new Map();
    for (const { run, axis, positions } of spec.tokens) {
      const names = spec.layout[axisName(axis)]?.ticktext ?? [];
      const words = runs.get(run) ?? new Map();
      positions.forEach((position, index) => words.set(position, plain(names[index])));
      runs.set(run, words);
    }
    return runs;
  }

  function twin(runs, word, run) {
    if (!word || word.run === run) return word?.position;
    const name = runs.get(word.run)?.get(word.position);
    const same = (words) =>
      [...(words ?? [])]
        .filter(([, other]) => other === name)
        .map(([position]) => position)
        .sort((a, b) => a - b);
    return same(runs.get(run))[same(runs.get(word.run)).indexOf(word.position)];
  }

  /* Lights a row and a column in every panel; {row, column} are words, null clears. */
  function show(figure, lit) {
    const state = drawn.get(figure);
    const stage = figure.querySelector(".stage");
    const axes = state.plot._fullLayout;
    state.shown = lit;
    stage.querySelectorAll(".mark").forEach((old) => old.remove());
    const ticks = new Set();
    for (const { run, axis, positions } of lit ? state.spec.tokens : []) {
      const position = twin(state.words, axis.startsWith("y") ? lit.row : lit.column, run);
      const index = positions.indexOf(position);
      if (position === undefined || index < 0) continue;
      const value = state.spec.layout[axisName(axis)].tickvals?.[index] ?? index;
      if (ticks.has(`${axis} ${value}`)) continue;
      ticks.add(`${axis} ${value}`);
      for (const [x, y] of state.spec.panels?.columns ?? []) {
        const [across, down] = [axes[axisName(x)], axes[axisName(y)]];
        const place = (ax, from, to) => [
          ax._offset + Math.min(ax.l2p(from), ax.l2p(to)),
          Math.abs(ax.l2p(to) - ax.l2p(from)),
        ];
        const whole = (ax) => place(ax, ...ax.range);
        if (axis !== x && axis !== y) continue;
        const [left, width] = axis === x ? place(across, value - 0.5, value + 0.5) : whole(across);
        const [top, height] = axis === y ? place(down, value - 0.5, value + 0.5) : whole(down);
        const mark = document.createElement("div");
        mark.className = axis === y ? "mark row" : "mark column";
        Object.assign(mark.style, {
          left: `${left - 1}px`,
          top: `${top - 1}px`,
          width: `${width + 2}px`,
          height: `${height + 2}px`,
        });
        stage.append(mark);
      }
    }
    for (const text of state.plot.querySelectorAll("g[class$=tick] > text")) {
      const axis = text.parentNode.getAttribute("class").replace(/tick$/, "");
      text.classList.toggle("lit", ticks.has(`${axis} ${text.__data__?.x}`));
    }
    for (const label of stage.querySelectorAll("[data-tick]"))
      label.classList.toggle("lit", ticks.has(label.dataset.tick));
    for (const token of document.querySelectorAll(".token"))
      token.classList.toggle(
        "lit",
        Boolean(lit) &&
          [lit.row, lit.column].some(
            (word) => word && twin(state.words, word, Number(token.dataset.run)) === Number(token.dataset.position),
          ),
      );
    aimAt(figure, lit?.row);
    say(figure, lit);
  }

  /* The line below the figure: what is lit, its explanation, and where its row is largest. */
  function say(figure, lit) {
    const line = figure.closest(".figure-frame").querySelector(".word-line");
    const state = drawn.get(figure);
    const word = lit?.row ?? lit?.column;
    const button = word && document.getElementById(`token-${word.run}-${word.position}`);
    const parts = [];
    if (button?.title) parts.push(`${button.textContent}: ${button.title}`);
    if (word && lit.row && state.spec.panels?.kind === "map")
      parts.push(strongest(state, line.dataset.strongest, word));
    const text = word
      ? parts.filter(Boolean).join(" · ") || state.words.get(word.run)?.get(word.position)
      : line.dataset.hint;
    if (line.textContent !== text) line.textContent = text;
    line.classList.toggle("lit", Boolean(word));
  }

  function strongest(state, template, word) {
    const rows = state.spec.tokens.find(({ run, axis }) => run === word.run && axis.startsWith("y"));
    const trace = state.plot._fullData.find((each) => each.type === "heatmap" && each.yaxis === rows?.axis);
    const row = trace?._z?.[rows.positions.indexOf(word.position)] ?? trace?.z?.[rows.positions.indexOf(word.position)];
    if (!row) return "";
    const values = Array.from(row, (value) => (Number.isFinite(value) ? value : -Infinity));
    const best = values.indexOf(Math.max(...values));
    const other = plain(state.spec.layout[axisName(trace.xaxis)].ticktext?.[best]);
    const number = values[best].toLocaleString(document.documentElement.lang, {
      maximumFractionDigits: 2,
      minimumFractionDigits: 2,
    });
    return template
      .replace("%word", () => state.words.get(word.run).get(word.position))
      .replace("%other", () => other)
      .replace("%value", number);
  }

  function wordAt(state, axis, value) {
    const entry = state.spec.tokens.find((each) => each.axis === axis);
    if (!entry) return null;
    const values = state.spec.layout[axisName(axis)].tickvals;
    const position = entry.positions[values ? values.indexOf(value) : value];
    return position === undefined ? null : { run: entry.run, position };
  }

  const whole = (word) => word && { row: word, column: word };
  const figures = () => [...document.querySelectorAll(".figure")].filter((figure) => drawn.get(figure)?.ready);
  const lightAll = (lit) => figures().forEach((figure) => show(figure, lit));

  function pin(lit) {
    for (const figure of figures()) drawn.get(figure).pinned = lit;
    lightAll(lit);
  }

  const same = (one, other) => one?.run === other.run && one.position === other.position;
  const pinned = (word) =>
    figures().some((figure) => {
      const { row, column } = drawn.get(figure).pinned ?? {};
      return same(row, word) && same(column, word);
    });

  const unhover = () => figures().forEach((figure) => show(figure, drawn.get(figure).pinned ?? null));

  function step(figure, key) {
    const state = drawn.get(figure);
    const run = state.shown?.row?.run ?? state.shown?.column?.run ?? state.spec.tokens[0]?.run ?? 0;
    const positions = [...(state.words.get(run)?.keys() ?? [])].sort((a, b) => a - b);
    const now = positions.indexOf((state.shown?.row ?? state.shown?.column)?.position);
    const ahead = key === "ArrowRight" || key === "ArrowDown";
    const next =
      now < 0
        ? ahead
          ? 0
          : positions.length - 1
        : Math.min(positions.length - 1, Math.max(0, now + (ahead ? 1 : -1)));
    if (positions.length) pin(whole({ run, position: positions[next] }));
  }

  function listen(figure) {
    const state = drawn.get(figure);
    const at = ({ xaxis, yaxis, x, y }) => ({ column: wordAt(state, xaxis._id, x), row: wordAt(state, yaxis._id, y) });
    state.plot.on("plotly_hover", ({ points: [point] }) => {
      const lit = at(point);
      if (lit.column || lit.row) lightAll(lit);
    });
    state.plot.on("plotly_unhover", unhover);
    figure.addEventListener("scroll", () => placeLinks(figure), { passive: true });
    // A finger has no hover: its touch shows a cell, and the link below leads on.
    state.plot.on("plotly_click", ({ points: [point] }) => {
      if (!matchMedia("(hover: none)").matches) return open(figure, point);
      const lit = at(point);
      if (lit.column || lit.row) pin(lit);
    });
    figure.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target === figure) openLit(figure);
      if (
        event.key.startsWith("Arrow") &&
        !event.altKey &&
        !event.ctrlKey &&
        !event.metaKey &&
        window === window.parent
      ) {
        event.preventDefault();
        step(figure, event.key);
      }
    });
  }

  const wordOf = (token) => ({ run: Number(token.dataset.run), position: Number(token.dataset.position) });

  document.addEventListener("keydown", (event) => {
    const token = event.target.closest?.(".token");
    if (event.key === "Escape" && figures().some((figure) => drawn.get(figure).shown)) pin(null);
    if (!token) return;
    const line = [...token.parentNode.querySelectorAll(".token")];
    const aim = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    if (aim === undefined) return;
    event.preventDefault();
    const next = line[Math.min(line.length - 1, Math.max(0, line.indexOf(token) + aim))];
    token.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  // Only the keyboard's focus: that of a click comes before the click, which takes back what was pinned.
  document.addEventListener("focusin", ({ target }) => target.matches(".token:focus-visible") && pin(whole(wordOf(target))));
  document.addEventListener("click", ({ target }) => {
    if (target.matches(".token")) pin(pinned(wordOf(target)) ? null : whole(wordOf(target)));
    else if (!target.closest("a, button, input, select, label, summary, .nsewdrag")) pin(null);
  });
  document.addEventListener("mouseover", ({ target }) => target.matches?.(".token") && lightAll(whole(wordOf(target))));
  document.addEventListener("mouseout", ({ target }) => target.matches?.(".token") && unhover());

  /* ── when to draw ────────────────────────────────────────────────────── */
  const resized = new ResizeObserver((entries) => {
    requestAnimationFrame(() => {
      for (const { target } of entries) {
        const state = drawn.get(target);
        if (state && target.isConnected && Math.abs(target.clientWidth - state.width) > 1) draw(target);
      }
    });
  });

  /* Draws what is not drawn yet; what is hidden still, as a slide to come, as soon as it is seen.
     A plot handed over is used again, so that a new answer never shows a blank. */
  function start(old) {
    for (const figure of document.querySelectorAll(".figure")) {
      if (drawn.has(figure)) continue;
      const source = figure.parentNode.querySelector(".figure-data");
      const spec = JSON.parse(source.textContent);
      let plot = figure.querySelector(".plot");
      if (old) {
        old.removeAllListeners?.();
        plot.replaceWith(old);
        [plot, old] = [old, null];
      }
      const state = { spec, plot, shown: null, pinned: null, step: null, width: 0, ready: false, words: wordsOf(spec) };
      drawn.set(figure, state);
      draw(figure);
      resized.observe(figure);
    }
  }

  const redraw = () => figures().forEach((figure) => draw(figure));
  dark.addEventListener("change", redraw);
  for (const [name, value] of [
    ["beforeprint", true],
    ["afterprint", false],
  ])
    addEventListener(name, () => {
      printing = value;
      redraw();
    });
  Object.assign(Satzblick, { start, redraw, theme, reveal, stepsOf, inkOn });
  if (window.Plotly) start();
})();
