/* Names of axes and of their places, in as many lines or as small as they need to be to be whole. */
"use strict";

(() => {
  const { onSlide, leastLetters } = Satzblick.frame;
  const { plain, escape, textWidth, titleLines, span } = Satzblick.text;
  const TITLE_SIZE = 1.2; // of an axis, in Plotly, beside other labels
  const TWO_LINES = { of: 3.4, least: 8 }; // two words that stand upright under a place of a narrow chart
  // Of the name of an axis: its lines and its size, down to that of other letters.
  const NAME_SIZES = [[2, 1], [2, 0.9], [2, 1 / 1.2], [3, 1 / 1.2]];
  const UPRIGHT = 1.2; // a word that stands upright, by the size of its letters

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

  Satzblick.axes = { TITLE_SIZE, UPRIGHT, wrapTitles, wrapTicks };
})();
