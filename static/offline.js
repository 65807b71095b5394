/* In an offline file: its controls lead to the states that it carries, packed, instead of to a server. */
"use strict";

globalThis.Satzblick ??= {};

(() => {
  const packed = document.getElementById("states");
  if (!packed) return;
  const { matters, ...now } = JSON.parse(packed.dataset.now);
  let { chosen } = now; // all choices, also those that change nothing now
  const parts = ["result", "controls"].map((id) => document.getElementById(id).outerHTML); // nothing is drawn yet
  const first = { chosen: Object.fromEntries(matters.map((name) => [name, chosen[name]])), html: parts.join("") };

  async function unpacked() {
    const bytes = Uint8Array.from(atob(packed.textContent), (letter) => letter.charCodeAt(0));
    const lines = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const others = (await new Response(lines).text()).trim().split("\n").map((line) => JSON.parse(line));
    return [first, ...others];
  }

  /* What an option of an address such as #layer=2 would make of the choices. */
  function wanted(url) {
    return { ...chosen, ...Object.fromEntries(new URLSearchParams(url.slice(url.indexOf("#") + 1))) };
  }

  /* A state names only the options that matter in it; the others are kept for when they do again. */
  const fitting = (states, choices) =>
    states.find((state) => Object.entries(state.chosen).every(([name, value]) => choices[name] === value));

  /* Choices that the file has no room for say so and lead nowhere. */
  function shut(page, states) {
    for (const link of page.querySelectorAll("#controls a[href]")) {
      if (fitting(states, wanted(link.getAttribute("href")))) continue;
      link.removeAttribute("href");
      link.setAttribute("aria-disabled", "true");
      link.title = packed.dataset.missing;
    }
    for (const option of page.querySelectorAll("#controls option"))
      option.disabled = !fitting(states, wanted(option.parentElement.dataset.start + option.dataset.rest));
  }

  const ready = unpacked();
  ready.then(
    (states) => shut(document, states),
    () => document.getElementById("controls").remove(), // a browser that cannot unpack shows the one state
  );

  Satzblick.carried = async (url) => {
    const states = await ready;
    const choices = wanted(url);
    const state = fitting(states, choices);
    if (!state) throw new DOMException("not carried", "AbortError");
    chosen = choices;
    const page = new DOMParser().parseFromString(state.html, "text/html");
    page.title = document.title;
    page.body.dataset.page = document.body.dataset.page;
    page.documentElement.dataset.theme = document.documentElement.dataset.theme;
    shut(page, states);
    return page;
  };
})();
