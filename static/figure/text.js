/* Plotly's labels, which are pseudo-HTML: what they say, how wide they are, how they become shorter or stand in lines. */
"use strict";

(() => {
  const { LABEL, scale } = Satzblick.frame;
  const pen = document.createElement("canvas").getContext("2d");
  const family = () => getComputedStyle(document.body).fontFamily;

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
    for (const word of plain(title).split(/[^\S\u00a0\u202f]+/)) {
      const longer = `${lines.at(-1)} ${word}`.trim();
      if (lines.length === most || textWidth(longer, size, weight) <= room) lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines.filter(Boolean).map((line) => shorten(escape(line), size, room, weight));
  }

  /* ── axes ────────────────────────────────────────────────────────────── */
  const axisName = (id) => id.replace(/^([xy])/, "$1axis");
  const span = (axis, otherwise) => (axis.range ? Math.abs(axis.range[1] - axis.range[0]) : otherwise) || 1;
  const labelsOf = (axis) => (axis.showticklabels === false ? [] : (axis.ticktext ?? []).map(plain));
  const widest = (texts, size) =>
    Math.max(0, ...texts.map((text) => Math.min(LABEL.longest * scale(), textWidth(text, size))));

  const noteWidth = ({ text }, size) =>
    Math.max(...text.split("<br>").map((line) => textWidth(plain(line), size * scale(), text.startsWith("<b>") ? "bold" : "normal")));

  Satzblick.text = { family, plain, escape, textWidth, shorten, titleLines, axisName, span, labelsOf, widest, noteWidth };
})();
