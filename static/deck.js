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
  Reveal.initialize({
    width: 1280,
    height: 720,
    margin: 0,
    center: false,
    hash: true,
    transition: "none",
    slideNumber: "c/t",
    pdfSeparateFragments: false,
    plugins: [RevealNotes],
  });
})();
