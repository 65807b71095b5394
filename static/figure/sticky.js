/* Where a figure scrolls in its box, the words stay at its edges: HTML in place of Plotly's labels. */
"use strict";

(() => {
  const { plain } = Satzblick.text;

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

  Satzblick.sticky = { stickyLabels };
})();
