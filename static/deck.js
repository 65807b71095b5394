/* Starts the lecture. In print the stills stand in for the live figures. */
"use strict";

(() => {
  const printing = /[?&](print-pdf|view=print)\b/i.test(location.search);
  if (printing)
    for (const live of document.querySelectorAll(".live")) {
      live.parentNode.querySelector(".still").loading = "eager";
      live.remove();
    }
  document.documentElement.classList.toggle("printing", printing);

  /* For a print out of the middle of a lecture the stills come, one by one, when nothing else is under way. */
  const AFTER = 4000;
  const stills = [...document.querySelectorAll(".still")].filter((still) => still.loading === "lazy");
  function next() {
    const still = stills.shift();
    if (!still) return;
    for (const end of ["load", "error"]) still.addEventListener(end, next, { once: true });
    still.loading = "eager";
  }
  if (!navigator.connection?.saveData) addEventListener("load", () => setTimeout(next, AFTER));
  addEventListener("beforeprint", () => stills.splice(0).forEach((still) => (still.loading = "eager")));

  Reveal.initialize({
    width: 1280,
    height: 720,
    margin: 0,
    center: false,
    hash: true,
    transition: "none",
    controlsTutorial: !matchMedia("(prefers-reduced-motion: reduce)").matches, // an arrow that moves until it is pressed
    slideNumber: "c/t",
    pdfSeparateFragments: false,
    scrollActivationWidth: null, // a phone turns slides too: Reveal's scrolling would lose the one in the address
    plugins: [RevealNotes],
  });

  /* Reveal's own buttons have English names. */
  Reveal.on("ready", () => {
    const { left, right } = document.body.dataset;
    document.querySelector(".navigate-left").ariaLabel = left;
    document.querySelector(".navigate-right").ariaLabel = right;
  });

  /* A figure that was clicked leaves with its slide; the keys go on here. */
  Reveal.on("slidechanged", () => document.activeElement?.blur());
})();
