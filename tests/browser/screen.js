// Runs before the page's own scripts, in every frame: reports violations of the policy and reads what is drawn.
"use strict";

addEventListener("securitypolicyviolation", (event) =>
  reportViolation(`${event.effectiveDirective} kept out ${event.blockedURI || "inline code"} (${event.sourceFile}:${event.lineNumber})`));

globalThis.onScreen = (() => {
  const plot = () => document.querySelector(".plot.js-plotly-plot");
  const spec = () => JSON.parse(document.querySelector(".figure-data").textContent);
  // Plotly draws nothing for values that are all undefined, as in the difference of sentences without a common word.
  const heatmaps = () => plot()._fullData.filter(({ type, visible }) => type === "heatmap" && visible);
  const suffix = (id) => id.slice(1);

  /* Whether the figure that stands there is the one that the page's last answer brought, drawn to the end. */
  function ready() {
    const drawn = plot();
    if (!drawn?._fullLayout || document.querySelector(".dim") || document.fonts.status !== "loaded") return false;
    const wanted = spec().data;
    const images = drawn.querySelectorAll(".heatmaplayer image");
    return wanted.length === drawn.data.length && images.length === heatmaps().length
      && (images.length > 0 || drawn.querySelector(".scatterlayer .trace, .barlayer .trace, .imagelayer image") !== null)
      && wanted.every((trace, index) => trace.z?.bdata === drawn.data[index].z?.bdata && trace.y?.bdata === drawn.data[index].y?.bdata)
      && [...images].every((image) => image.href.baseVal.startsWith("data:image/png"));
  }

  const rows = (z) => Array.from(z, (row) => Array.from(row, (value) => (Number.isFinite(value) ? value : null)));

  /* The words at an axis: Plotly's labels, or those that stay in place where the figure scrolls. */
  function labels(id) {
    const texts = [...plot().querySelectorAll(`g.${id}tick > text`)];
    const sticky = document.querySelectorAll(`.stage [data-tick^="${id} "]`);
    return (texts.length ? texts : [...sticky]).map((text) => text.textContent);
  }

  function panels() {
    const full = plot()._fullLayout;
    const titles = new Map(full.annotations.map((note, index) => [note.xref, plot().querySelector(`.annotation[data-index="${index}"]`)?.textContent]));
    const images = plot().querySelectorAll(".heatmaplayer image");
    return heatmaps().map((trace, index) => {
      const [x, y] = [full[`xaxis${suffix(trace.xaxis)}`], full[`yaxis${suffix(trace.yaxis)}`]];
      const { left, top, width, height } = images[index].getBoundingClientRect();
      return {
        z: rows(trace.z), across: labels(trace.xaxis), down: labels(trace.yaxis), title: titles.get(`${trace.xaxis} domain`),
        box: { left, top, width, height }, axes: { left: x._offset, top: y._offset, width: x._length, height: y._length },
      };
    });
  }

  /* The pixels of a panel's picture, one per cell, as "r,g,b,a" in the order of the values. */
  async function pixels(index) {
    const source = plot().querySelectorAll(".heatmaplayer image")[index];
    const [values, image] = [heatmaps()[index].z, new Image()];
    image.src = source.href.baseVal;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    pen.drawImage(image, 0, 0);
    const [down, across] = [values.length, values[0].length];
    const at = (place, count, size) => Math.min(size - 1, Math.floor(((place + 0.5) / count) * size));
    return Array.from({ length: down }, (_, row) => Array.from({ length: across }, (_, column) =>
      pen.getImageData(at(column, across, image.width), at(row, down, image.height), 1, 1).data.join()));
  }

  const captions = () => plot().layout.annotations.filter(({ name }) => name === "caption").map(({ text }) => text).join();

  const box = (element) => {
    const { left, top, width, height } = element.getBoundingClientRect();
    return { left, top, width, height };
  };

  const marks = (kind) => [...document.querySelectorAll(`.stage .mark.${kind}`)].map(box);
  const lit = () => [...document.querySelectorAll(".plot text.lit, .sticky b.lit")].map((text) => text.textContent);
  const lightedTokens = () => [...document.querySelectorAll(".token.lit")].map((token) => token.textContent);

  return {
    ready, panels, pixels, captions, marks, lit, lightedTokens,
    scheme: () => ({ font: plot()._fullLayout.font.color, label: getComputedStyle(plot().querySelector("g.xtick > text")).fill,
      background: getComputedStyle(document.body).backgroundColor }),
  };
})();
