/* Words and cells point at each other: what is hovered, focused or pinned lights up everywhere it stands. */
"use strict";

(() => {
  const { plain, axisName } = Satzblick.text;
  const { drawn, figures, beside } = Satzblick.drawn;
  const CLEAR = 6; // pixels around a cell that the keys have come to

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
        mark.dataset.run = run;
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
    for (const line of state.plot.querySelectorAll(".scatterlayer .trace")) {
      const { run, ends } = line.__data__?.[0]?.trace.meta ?? {};
      const end = lit?.row ? 0 : 1;
      if (ends) line.classList.toggle("faded", Boolean(lit) && ends[end] !== twin(state.words, lit.row ?? lit.column, run));
    }
    const pointed = lit ? [lit.row, lit.column].filter(Boolean) : [];
    const litIn = new Map(); // run → positions
    for (const token of document.querySelectorAll(".token")) {
      const run = Number(token.dataset.run);
      if (!litIn.has(run)) litIn.set(run, pointed.map((word) => twin(state.words, word, run)));
      token.classList.toggle("lit", litIn.get(run).includes(Number(token.dataset.position)));
    }
    Satzblick.places.aimAt(figure, lit?.row);
    say(figure, lit);
  }

  /* The line below the figure: what is lit, its explanation, and where its row is largest. */
  function say(figure, lit) {
    const line = beside(figure, ".word-line");
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
    write(line, text, Boolean(word));
  }

  /* The hint is read out with the figure, and what has the focus when it gets it: neither is said once more. */
  function write(line, text, lit) {
    const focused = document.activeElement;
    line.ariaLive = lit && !(focused?.matches("a, button") && focused.textContent === text) ? "polite" : "off";
    if (line.textContent !== text) line.textContent = text;
    line.classList.toggle("lit", lit);
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
    }).replace("-", "−");
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

  /* Pins in a new figure what was pinned in the old one, where the same words stand in the same places. */
  function pinAgain(old, fresh) {
    const [before, now] = [drawn.get(old), drawn.get(fresh)];
    const name = (state, { run, position }) => state?.words.get(run)?.get(position);
    const stays = (word) => !word || (name(before, word) !== undefined && name(before, word) === name(now, word));
    if (before?.pinned && stays(before.pinned.row) && stays(before.pinned.column)) pin(before.pinned);
  }

  const unhover = () => figures().forEach((figure) => show(figure, drawn.get(figure).pinned ?? null));

  /* From word to word, from the last of one sentence to the first of the next. */
  function step(figure, key) {
    const { words, shown } = drawn.get(figure);
    const ascending = (numbers) => [...numbers].sort((a, b) => a - b);
    const all = ascending(words.keys()).flatMap((run) => ascending(words.get(run).keys()).map((position) => ({ run, position })));
    if (!all.length) return false; // the key scrolls, as anywhere
    const now = all.findIndex((word) => same(shown?.row ?? shown?.column, word));
    const ahead = key === "ArrowRight" || key === "ArrowDown";
    const next = now < 0 ? (ahead ? 0 : all.length - 1) : now + (ahead ? 1 : -1);
    pin(whole(all[Math.min(all.length - 1, Math.max(0, next))]));
    follow(figure);
    return true;
  }

  /* The keys take along what is seen, in the figure's own box and in the window, clear of the words at its edges. */
  function follow(figure) {
    const stage = figure.querySelector(".stage");
    const { run } = drawn.get(figure).shown.row;
    const [row, column] = ["row", "column"].map((side) => stage.querySelector(`.mark.${side}[data-run="${run}"]`)?.style);
    if (!row && !column) return;
    const crossing = stage.appendChild(document.createElement("div"));
    const [head, side] = [".sticky-columns", ".sticky-corner"].map((words) => stage.querySelector(words));
    const [above, before] = [(head?.offsetHeight ?? 0) + CLEAR, (side?.offsetWidth ?? 0) + CLEAR];
    Object.assign(crossing.style, {
      position: "absolute",
      left: (column ?? row).left,
      top: (row ?? column).top,
      width: column?.width ?? 0,
      height: row?.height ?? 0,
      scrollMargin: `${above}px ${CLEAR}px ${CLEAR}px ${before}px`,
    });
    crossing.scrollIntoView({ block: "nearest", inline: "nearest" });
    crossing.remove();
  }

  function listen(figure) {
    const state = drawn.get(figure);
    const at = ({ xaxis, yaxis, x, y, data }) => {
      const [column, row] = [wordAt(state, xaxis._id, x), wordAt(state, yaxis._id, y)];
      return data.meta?.lookedAt ? { column: row, row: null } : { column, row };
    };
    state.plot.on("plotly_hover", ({ points: [point] }) => {
      const lit = at(point);
      if (lit.column || lit.row) lightAll(lit);
    });
    state.plot.on("plotly_unhover", unhover);
    figure.addEventListener("scroll", () => Satzblick.places.placeLinks(figure), { passive: true });
    // A finger has no hover: its touch shows a cell, and the link below leads on.
    state.plot.on("plotly_click", ({ points: [point] }) => {
      if (!matchMedia("(hover: none)").matches) return Satzblick.places.open(figure, point);
      const lit = at(point);
      if (lit.column || lit.row) pin(lit);
    });
    figure.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target === figure) Satzblick.places.openLit(figure);
      if (
        event.key.startsWith("Arrow") &&
        !event.altKey &&
        !event.ctrlKey &&
        !event.metaKey &&
        window === window.parent
      ) {
        if (step(figure, event.key)) event.preventDefault();
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

  Satzblick.words = { wordsOf, twin, show, write, listen, pinAgain, unhover };
})();
