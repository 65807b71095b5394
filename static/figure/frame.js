/* Where a figure stands: on a page, a slide or paper, light or dark; how large letters are there and how much room is. */
"use strict";

globalThis.Satzblick ??= {}; // what the scripts of a page give each other, each under its own name

(() => {
  const SLIDE_TEXT = 16; // of any label on a slide at scale 1: at 1.5 the last row of a lecture hall reads it
  const SLIDE_LEAST = 220;
  const FRAME_LEAST = 200; // a frame so low waits to be told its height
  const HELD = 400; // a frame narrower than this is looked at in the hand: its letters are those of a page
  const PAGE = { share: 0.77, least: 440 }; // of a page's window, and pixels: so high a figure is seen whole, with its controls
  const AROUND = 165; // what column labels, titles and the colour bar take on a slide, before they are known
  const NARROW = 640;
  const EDGE = 6;
  const SIZES = { usual: 15, flat: 11.5, least: 11, title: 13, number: 12 };
  const QUIET = { light: "#5b5e66", dark: "#a5a6ad" };

  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const embedded = () => document.body.classList.contains("embed");
  const onSlide = () => embedded() && innerWidth >= HELD;
  const [TITLE, NUMBER] = onSlide() ? [SLIDE_TEXT, SLIDE_TEXT] : [SIZES.title, SIZES.number];
  const LABEL = onSlide()
    ? { usual: SLIDE_TEXT, flat: SLIDE_TEXT, longest: 180 }
    : { usual: SIZES.usual, flat: SIZES.flat, longest: 150 };
  const scale = () => Number(getComputedStyle(root).getPropertyValue("--scale")) || 1;
  const leastLetters = () => (onSlide() ? SLIDE_TEXT * scale() : SIZES.least);

  let printing = false;
  addEventListener("beforeprint", () => (printing = true));
  addEventListener("afterprint", () => (printing = false));
  const onPaper = () => printing;

  function theme() {
    if (printing) return "light";
    const chosen = root.dataset.theme;
    return chosen === "auto" ? (dark.matches ? "dark" : "light") : chosen;
  }

  /* ── a slide has a fixed height, so what stands in it shrinks to it, within limits ── */
  const onFixedHeight = () => embedded() && innerHeight > FRAME_LEAST;
  const lying = () => onFixedHeight() && innerWidth > innerHeight; // what stands below is not seen, however narrow it is
  const fitsHeight = () => lying() || (onSlide() && onFixedHeight()); // in the hand one scrolls

  const high = (selector) => document.querySelector(selector)?.offsetHeight ?? 0;
  function aroundFigure() {
    if (!document.body.classList.contains("aside")) return document.body.scrollHeight - high(".figure");
    // The caption beside the figure takes no height from it.
    return document.body.scrollHeight - high("#result") + high("#result > .numbers") + high(".figure-frame") - high(".figure");
  }

  let spare = 0; // what a first drawing was too high
  const tighten = (pixels) => (spare = pixels);
  const overflow = () => (onFixedHeight() ? Math.max(0, root.scrollHeight - innerHeight) : 0);

  /* What a figure may be high that need not be higher: on a slide what is left, on a page what is seen at once. */
  function roomHigh() {
    if (onFixedHeight()) return Math.max(SLIDE_LEAST * scale(), innerHeight - aroundFigure() - EDGE - spare);
    return embedded() || printing ? Infinity : Math.max(PAGE.least, PAGE.share * innerHeight);
  }
  const fitted = (height) => Math.min(height, roomHigh());

  /* What its cells may take of that, before their labels are known. */
  const roomOfCells = () => innerHeight - aroundFigure() - AROUND * scale() - spare;

  Satzblick.frame = {
    SLIDE_TEXT, AROUND, NARROW, EDGE, SIZES, QUIET, TITLE, NUMBER, LABEL,
    embedded, onSlide, onPaper, onFixedHeight, lying, fitsHeight, dark, theme, scale, leastLetters,
    aroundFigure, tighten, overflow, roomHigh, fitted, roomOfCells,
  };
})();
