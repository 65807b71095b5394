/* Draws the figures of a page with Plotly, and again whenever their room, the theme or the paper changes. */
"use strict";

(() => {
  const { EDGE, dark, embedded, onPaper, overflow } = Satzblick.frame;
  const { stickyLabels } = Satzblick.sticky;
  const { drawn, figures } = Satzblick.drawn;
  const { framedIn } = Satzblick.fit;
  const { veil } = Satzblick.playback;
  const { wordsOf, show, listen } = Satzblick.words;
  const { placeLinks } = Satzblick.places;
  const { axisName } = Satzblick.text;
  const INK_TURN = 0.179; // luminance at which black and white have the same contrast

  function draw(figure) {
    if (!figure.clientWidth) return;
    const state = drawn.get(figure);
    const { spec } = state;
    const { layout, data, placed, width } = framedIn(figure, state);
    const stage = figure.querySelector(".stage");
    figure.classList.toggle("scrolls", Boolean(placed?.scrolls));
    stage.querySelectorAll(".sticky").forEach((old) => old.remove());
    if (placed?.scrolls) stickyLabels(stage, layout, placed);
    Object.assign(state, { width, frame: innerHeight });
    Plotly.react(state.plot, data, layout, {
      displayModeBar: false,
      responsive: false,
      doubleClick: false,
      showTips: false,
    });
    placeImages(state.plot);
    signNumbers(state.plot);
    const first = !state.ready;
    state.ready = true;
    if (first) listen(figure);
    document.getElementById("js-plotly-tester")?.setAttribute("aria-hidden", "true"); // where Plotly measures text
    show(figure, state.shown);
    veil(figure);
    thin(state.plot);
    inkCells(state.plot);
    placeLinks(figure);
    document.dispatchEvent(new Event("satzblick:drawn"));
    if (first) document.dispatchEvent(new CustomEvent("satzblick:started", { detail: figure }));
  }

  /* Plotly places an image, which fills its axes, when it has loaded; paper does not wait for that. */
  function placeImages(plot) {
    if (!onPaper()) return;
    for (const image of plot.querySelectorAll(".imagelayer image")) {
      const { source, xaxis, yaxis } = image.__data__[0].trace;
      const [{ _length: width }, { _length: height }] = [xaxis, yaxis].map((id) => plot._fullLayout[axisName(id)]);
      for (const [name, value] of Object.entries({ x: 0, y: 0, width, height })) image.setAttribute(name, value);
      image.setAttributeNS("http://www.w3.org/1999/xlink", "href", source); // the one that Plotly sets
    }
  }

  /* Under the pointer Plotly would write a hyphen for the minus, unlike everywhere else. */
  function signNumbers({ _fullLayout: { _d3locale: locale } }) {
    const { numberFormat } = locale;
    locale.numberFormat = (form) => (value) => numberFormat(form)(value).replaceAll("-", "−");
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

  /* ── when to draw ────────────────────────────────────────────────────── */
  const resized = new ResizeObserver((entries) => {
    requestAnimationFrame(() => {
      for (const { target } of entries) {
        const state = drawn.get(target);
        if (!target.isConnected) resized.unobserve(target);
        else if (state && Math.abs(target.clientWidth - state.width) > 1) draw(target);
      }
    });
  });

  /* In a frame also the height counts: where it became too low, or higher than what stands in it and was told to be. */
  function reframe() {
    const spare = innerHeight - document.body.scrollHeight;
    for (const figure of figures())
      if (overflow() || (innerHeight > drawn.get(figure).frame && spare > EDGE)) draw(figure);
  }
  if (embedded()) addEventListener("resize", () => requestAnimationFrame(() => onPaper() || reframe()));

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
      const state = { spec, plot, shown: null, pinned: null, step: null, width: 0, frame: 0, ready: false, words: wordsOf(spec) };
      drawn.set(figure, state);
      draw(figure);
      resized.observe(figure);
    }
  }

  const redraw = () => figures().forEach((figure) => draw(figure));
  dark.addEventListener("change", redraw);
  for (const name of ["beforeprint", "afterprint"]) addEventListener(name, redraw);

  /* Plotly is half a megabyte, which a poor connection may lose on its way: it is asked for again. */
  async function plotly() {
    const lost = document.querySelector("script[src*=plotly]");
    if (window.Plotly || !lost) return; // a page without figures needs none
    const again = Object.assign(document.createElement("script"), { src: lost.src });
    await new Promise((arrived, failed) => {
      Object.assign(again, { onload: arrived, onerror: () => failed(new TypeError("no Plotly")) });
      lost.replaceWith(again);
    });
  }

  /* Where it is lost again, the picture is the one for browsers without scripts. */
  function standStill() {
    for (const frame of document.querySelectorAll(".figure-frame")) {
      const instead = new DOMParser().parseFromString(frame.querySelector("noscript").textContent, "text/html");
      frame.querySelector(".stage").replaceChildren(instead.querySelector("img"));
    }
    document.dispatchEvent(new Event("satzblick:lost"));
  }

  Satzblick.draw = { start, draw, redraw, plotly, inkOn };
  if (window.Plotly) start();
  else if (document.querySelector(".figure")) plotly().then(() => start(), standStill);
})();
