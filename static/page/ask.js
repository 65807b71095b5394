/* Asks this server for pages, one at a time, and shows what comes: in place, in the address, or a word on what is wrong. */
"use strict";

(() => {
  const PATIENCE = 300; // milliseconds before it is said that an answer takes its time
  const SAID = 4000; // milliseconds that something else is said
  const LONGEST = 90_000; // milliseconds that an answer is waited for: longer than the server lets a model take
  const { typedValues, newlyTyped } = Satzblick.typed;
  const { plotly } = Satzblick.draw;
  const { dim, swap } = Satzblick.swap;
  const { body } = document;
  const embedded = body.classList.contains("embed");
  const status = document.getElementById("status");
  let request = null;
  let awaited = null; // { url, how, sent, control }: what is asked for, what stood in the fields then, where it was chosen
  let resting = 0;
  let quiet = 0;
  let swapping = false; // a field that is replaced says that it has changed, though nobody has left it

  const place = (url) => new URL(url, location.href).pathname + new URL(url, location.href).search;
  let shown = place(location.href);

  const remember = (how) => (embedded ? "none" : how);
  const going = () => (awaited?.how === "push" ? "push" : "replace"); // the step of an awaited choice stays a step

  function busy(waiting) {
    clearTimeout(quiet);
    status.textContent = waiting ? status.dataset.waiting : "";
    dim(waiting);
  }

  function say(text) {
    status.textContent = text;
    clearTimeout(quiet);
    quiet = setTimeout(() => (status.textContent = ""), SAID);
  }

  function warn(text) {
    const place = document.getElementById("page-error");
    const line = Object.assign(document.createElement("p"), { className: "page-error", role: "alert", textContent: text });
    place?.replaceChildren(line);
  }

  function trouble(text) {
    warn(text);
    dim(true);
    shown = null; // the address may be one step ahead of the figure
  }

  /* A frame's own settings go along with every choice made in it. */
  function framed(url) {
    const address = new URL(url, location.href);
    const settings = new URLSearchParams(location.search);
    for (const name of ["bg", "scale", "controls", "caption", "autoplay"])
      if (settings.has(name)) address.searchParams.set(name, settings.get(name));
    return address.href;
  }

  /* What a proxy says instead of a server that is away is no page: it is taken as if nobody had answered. */
  async function asked(url, signal) {
    const response = await fetch(url, { headers: { Accept: "text/html" }, signal });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!response.ok && !page.querySelector("#result, #error-message")) throw new TypeError(`status ${response.status}`);
    return page;
  }

  function remembered(url, how) {
    const same = place(url) === place(location.href); // no step back that changes nothing
    if (how === "push" && !same) history.pushState(null, "", url);
    else if (how === "push" || how === "replace") history.replaceState(null, "", url);
    shown = place(location.href);
  }

  /* `held` is a part that stays as it is: what somebody is just moving. */
  async function load(url, { how, keepTyped = false, focus = null, held = null, control = null }) {
    if (embedded) url = framed(url);
    clearTimeout(resting);
    request?.abort();
    const mine = (request = new AbortController());
    const sent = typedValues();
    awaited = { url, how, sent, control };
    const patience = setTimeout(() => busy(true), PATIENCE);
    const limit = setTimeout(() => mine.abort(new TypeError("no answer")), LONGEST);
    try {
      const page = await (Satzblick.carried ?? asked)(url, mine.signal); // an offline file has its pages in itself
      await plotly();
      mine.signal.throwIfAborted();
      // What stands there for browsers without scripts would become real: a second picture, loaded for nobody.
      for (const part of page.querySelectorAll("noscript")) part.remove();
      clearTimeout(patience);
      busy(false);
      const message = page.getElementById("error-message");
      if (message) return trouble(message.textContent);
      if (!page.getElementById("result")) return location.assign(url);
      const made = new URL(url, location.href).searchParams.has("vs_from"); // the address says what came of it
      if (made) url = page.getElementById("copy")?.getAttribute("href") ?? url;
      remembered(url, how); // first: the entry that is left keeps its place on the page
      swapping = true;
      const elsewhere = swap(page, newlyTyped(sent, keepTyped), held);
      if (elsewhere && how === "push") scrollTo({ top: 0, behavior: "instant" });
      if (focus) document.getElementById(focus)?.select();
    } catch (error) {
      clearTimeout(patience);
      if (error.name === "AbortError") return;
      busy(false);
      // A sandbox may not ask, but it may go there; offline it would lose its figure.
      if (embedded && origin === "null" && navigator.onLine) location.assign(url);
      else if (error instanceof TypeError) trouble(body.dataset.offline);
      else throw error;
    } finally {
      clearTimeout(patience);
      clearTimeout(limit);
      swapping = false;
      if (mine === request) {
        awaited = null;
        document.dispatchEvent(new Event("satzblick:answered"));
      }
    }
  }

  document.addEventListener("satzblick:lost", () => warn(body.dataset.lost));

  /* What is still typed or moved is asked for after a rest; whatever is asked for before takes it along. */
  function loadAfter(pause, ask) {
    clearTimeout(resting);
    resting = setTimeout(ask, pause);
  }

  /* Back and forward: whatever is awaited belongs to a step that is not wanted any more. */
  addEventListener("popstate", () => {
    const coming = awaited?.how === "step" ? place(awaited.url) : shown;
    const here = place(location.href); // a jump within the page changes only the part after #
    if (here !== coming) load(location.href, { how: "step" });
  });

  /* A page that the browser kept whole may have left before its answer came. */
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted && place(location.href) !== shown) load(location.href, { how: "step" });
  });

  Satzblick.ask = { load, loadAfter, say, remember, going, awaited: () => awaited, swapping: () => swapping };
})();
