/* What is known of each figure that is drawn, and what stands beside it. */
"use strict";

(() => {
  const drawn = new WeakMap(); // figure element → { spec, plot, words, shown, pinned, step, bare, width, frame, ready }
  const figures = () => [...document.querySelectorAll(".figure")].filter((figure) => drawn.get(figure)?.ready);

  /* Of a figure, or of anything in its frame, what else is in that frame. */
  const beside = (element, selector) => element.closest(".figure-frame").querySelector(selector);
  const allBeside = (element, selector) => [...element.closest(".figure-frame").querySelectorAll(selector)];

  Satzblick.drawn = { drawn, figures, beside, allBeside };
})();
