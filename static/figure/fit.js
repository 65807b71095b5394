/* Finds the scale, the caption and the legend with which a figure fits its frame. */
"use strict";

(() => {
  const { SLIDE_TEXT, AROUND, EDGE, scale, theme } = Satzblick.frame;
  const { onSlide, onPaper, onFixedHeight, aroundFigure, tighten, overflow } = Satzblick.frame;
  const { family } = Satzblick.text;
  const { valueRoom } = Satzblick.cells;
  const { layChart, plotHigh } = Satzblick.chart;
  const { framed, walked } = Satzblick.playback;
  const { arrange } = Satzblick.panels;
  const VALUES_FROM = 32; // cells smaller than this show no number
  const TABLE_TEXT = 9; // pixels: smaller texts are left out
  const VALUE_HIGH = 1.15; // of a cell, by the size of its letters
  const WIDE = 1.4; // a slide this much wider than high has room beside the figure
  const LYING = 1.2; // a frame this much wider than high is taken for a slide
  // Pixels of a chart in a small frame, and their share of its height, before caption and legend give way; of units in thin
  // rows that much of it.
  const PLOT = { least: 180, share: 0.5, units: 0.8 };
  const ALMOST = 0.9; // of the highest plot: more is not worth smaller letters or the caption
  const SMALLER = [1, 0.92, 0.84, 0.76, 0.68, 0.6]; // of the scale asked for, where the frame has no room
  const LEAST_SCALE = 0.75; // letters of 12 pixels
  const PAPER_WIDTH = 660;
  const asked = scale();

  /* What a theme changes in a layout, level by level. */
  function patch(layout, changes) {
    for (const [name, value] of Object.entries(changes)) {
      if (layout[name] && typeof value === "object" && !Array.isArray(value)) patch(layout[name], value);
      else layout[name] = value;
    }
    return layout;
  }

  /* An image's palette is the head of its address, one for each theme; so is the ink of a name. */
  function painted(trace) {
    const { heads, inks } = trace.meta ?? {};
    if (inks) return { ...trace, textfont: { ...trace.textfont, color: inks[theme()] } };
    const head = heads?.[theme()];
    return head ? { ...trace, source: head + trace.source.slice(head.length) } : trace;
  }

  /* Whether the cells of a slide hold their texts, which are as large as other labels. */
  const holds = ({ cell, tall = cell }, trace, layout, size) =>
    valueRoom(trace, layout, size) <= cell + 0.5 && VALUE_HIGH * size <= tall;

  /* As large as the longest text of a table allows; 0 where that could not be read. */
  function tableText(trace, { panels }, usual) {
    const { width, height, columns, rows } = panels.find(({ x }) => x === (trace.xaxis ?? "x"));
    const longest = Math.max(1, ...trace.text.flat().map((text) => text.length));
    const size = Math.min(usual, (width / columns - 6) / (0.6 * longest), (0.7 * height) / rows);
    return size >= (onSlide() ? usual : TABLE_TEXT) ? size : 0;
  }

  /* Cells show their values only where these can be read. */
  function sizeValues(spec, layout, data, placed) {
    const usual = onSlide() ? SLIDE_TEXT * scale() : Math.min(13 * scale(), (placed.filled ?? placed.cell) * 0.27);
    for (const trace of data.filter((each) => each.texttemplate)) {
      const tabular = spec.panels.kind === "table";
      const size = tabular ? tableText(trace, placed, usual) : usual;
      const room = tabular ? size : onSlide() ? holds(placed, trace, layout, size) : placed.cell >= VALUES_FROM;
      if (!room) delete trace.texttemplate;
      else trace.textfont = { ...trace.textfont, size };
    }
  }

  /* What Plotly takes for this width, and how it was arranged; `whole`: as high as it would be on a page. */
  function laidOut(state, width) {
    const { spec } = state;
    const layout = patch(structuredClone(spec.layout), spec.themes[theme()]);
    const data = spec.data.map((trace) => painted(walked(framed(trace, state), state.step)));
    layout.font = { ...layout.font, family: family() };
    layout.hoverlabel = {
      ...layout.hoverlabel,
      font: { ...layout.hoverlabel?.font, family: family(), size: 14 * scale() },
    };
    layout.dragmode = false;
    for (const [name, axis] of Object.entries(layout)) if (state.bare && /^coloraxis/.test(name)) axis.showscale = false;
    if (!spec.panels?.columns?.length || spec.panels.kind === "chart")
      return { layout, placed: null, ...layChart(spec, layout, data, width, { asked, bare: state.bare }) };
    const placed = arrange(spec, layout, data, width, { theme: theme(), paper: onPaper() });
    sizeValues(spec, layout, data, placed);
    return { layout, data, placed, whole: false };
  }

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
      const letters = (layout.xaxis?.tickfont?.size ?? layout.font.size) / layout.font.size; // names that had to become smaller
      return layout.width * Math.max(1, layout.height - AROUND * scale()) * letters;
    };
    const caption = !document.body.classList.contains("brief") && document.querySelector(".summary");
    const wide = !onPaper() && onFixedHeight() && innerWidth > WIDE * innerHeight && caption;
    document.body.classList.toggle("aside", Boolean(wide && size(true) > size(false)));
  }

  /* What Plotly takes, on a stage of its size; what turns out too high is laid out once more, smaller. */
  function staged(figure, state) {
    const stage = figure.querySelector(".stage");
    const lay = () => {
      const width = onPaper() ? PAPER_WIDTH : Math.floor(figure.clientWidth);
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
      document.documentElement.style.setProperty("--scale", asked * factor);
      document.body.classList.toggle("brief", brief > 0);
      state.bare = brief > 1;
      return staged(figure, state);
    };
    const lying = !onPaper() && onFixedHeight() && innerWidth > LYING * innerHeight;
    const whole = { factor: onPaper() ? Math.min(1, 1 / asked) : 1, brief: 0 }; // paper is read from near
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

  Satzblick.fit = { framedIn };
})();
