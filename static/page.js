/* The sentence, the address and the frame around: fetches pages of this server and puts their parts in place. */
"use strict";

(() => {
  const TYPING = 300;
  const PATIENCE = 300;
  const body = document.body;
  const embedded = body.classList.contains("embed");
  const status = document.getElementById("status");
  let request = null;
  let typing = 0;
  let quiet = 0;

  /* ── one answer for another ──────────────────────────────────────────── */
  function busy(waiting) {
    status.textContent = waiting ? status.dataset.waiting : "";
    dim(waiting);
  }

  function dim(dimmed) {
    for (const part of document.querySelectorAll("[data-keep]")) part.classList.toggle("dim", dimmed);
  }

  function say(text) {
    status.textContent = text;
    clearTimeout(quiet);
    quiet = setTimeout(() => (status.textContent = ""), 4000);
  }

  function trouble(text) {
    const place = document.getElementById("page-error");
    const line = document.createElement("p");
    line.className = "page-error";
    line.setAttribute("role", "alert");
    line.textContent = text;
    place?.replaceChildren(line);
    dim(true);
  }

  /* Fields keep what is being typed; everything else is what the server says. */
  function fill(page, keepTyped) {
    for (const fresh of page.querySelectorAll("#query input[type=text]")) {
      const field = document.getElementById(fresh.id);
      if (!field) continue;
      if (!(keepTyped && field === document.activeElement)) field.value = fresh.value;
      field.toggleAttribute("aria-invalid", fresh.hasAttribute("aria-invalid"));
      if (fresh.hasAttribute("aria-invalid")) field.setAttribute("aria-invalid", "true");
    }
    const form = document.getElementById("query");
    if (form && page.getElementById("query")) form.action = page.getElementById("query").getAttribute("action");
  }

  function swap(page, keepTyped, held) {
    const focus = document.activeElement?.id;
    const caret = document.activeElement?.selectionStart;
    const plot = document.querySelector("#result .js-plotly-plot");
    const elsewhere = page.body.dataset.page !== body.dataset.page;
    let stale = false;
    if (elsewhere) {
      const typed = keepTyped ? document.activeElement?.value : undefined;
      document.getElementById("main").replaceWith(page.getElementById("main"));
      body.dataset.page = page.body.dataset.page;
      const field = document.getElementById(focus);
      if (field?.matches("input") && typed !== undefined) field.value = typed;
    }
    for (const part of elsewhere ? [] : document.querySelectorAll("[data-swap]")) {
      const fresh = page.getElementById(part.id);
      if (!fresh || fresh === part || part === held) continue;
      const empty = !fresh.childElementCount && !fresh.textContent.trim();
      if (part.hasAttribute("data-keep") && empty) stale = true;
      else if (
        part.contains(document.activeElement) &&
        document.activeElement.matches("input[type=text]") &&
        !fresh.hidden
      ) {
        for (const inner of part.querySelectorAll("[data-swap]")) {
          const other = fresh.querySelector(`#${inner.id}`);
          if (other) inner.replaceWith(other);
        }
      } else part.replaceWith(fresh);
    }
    for (const part of elsewhere ? page.querySelectorAll("[data-swap]") : [])
      document.getElementById(part.id)?.replaceWith(part);
    if (!elsewhere) fill(page, keepTyped);
    document.title = page.title;
    document.documentElement.dataset.theme = page.documentElement.dataset.theme;
    const again = focus && document.getElementById(focus);
    if (again && again !== document.activeElement) {
      again.focus({ preventScroll: true });
      if (again.matches("input[type=text]") && caret !== undefined) again.setSelectionRange(caret, caret);
    }
    Satzblick.start(plot?.isConnected ? null : plot);
    hereabouts();
    dim(stale);
  }

  /* A frame's own settings go along with every choice made in it. */
  function framed(url) {
    const address = new URL(url, location.href);
    const settings = new URLSearchParams(location.search);
    for (const name of ["bg", "scale", "controls", "caption", "autoplay"])
      if (settings.has(name)) address.searchParams.set(name, settings.get(name));
    return address.href;
  }

  async function asked(url, signal) {
    const response = await fetch(url, { headers: { Accept: "text/html" }, signal });
    return new DOMParser().parseFromString(await response.text(), "text/html");
  }

  /* `held` is a part that stays as it is: what somebody is just moving. */
  async function load(url, { how, keepTyped = false, focus = null, held = null }) {
    if (embedded) url = framed(url);
    clearTimeout(typing);
    request?.abort();
    const mine = (request = new AbortController());
    const patience = setTimeout(() => busy(true), PATIENCE);
    try {
      const page = await (Satzblick.carried ?? asked)(url, mine.signal); // an offline file has its pages in itself
      // What stands there for browsers without scripts would become real: a second picture, loaded for nobody.
      for (const part of page.querySelectorAll("noscript")) part.remove();
      clearTimeout(patience);
      busy(false);
      const message = page.getElementById("error-message");
      if (message) return trouble(message.textContent);
      if (!page.getElementById("result")) return location.assign(url);
      const made = new URL(url, location.href).searchParams.has("vs_from"); // the address says what came of it
      if (made) url = page.getElementById("copy")?.getAttribute("href") ?? url;
      swap(page, keepTyped, held);
      if (how === "push") history.pushState(null, "", url);
      if (how === "replace") history.replaceState(null, "", url);
      shown = location.pathname + location.search;
      if (focus) document.getElementById(focus)?.select();
    } catch (error) {
      clearTimeout(patience);
      if (error.name === "AbortError") return;
      busy(false);
      if (embedded) location.assign(url);
      else if (error instanceof TypeError) trouble(body.dataset.offline);
      else throw error;
    } finally {
      clearTimeout(patience);
    }
  }

  /* ── the form ────────────────────────────────────────────────────────── */
  function formAddress(button) {
    const form = document.getElementById("query");
    const address = new URL(form.action, location.href);
    address.search = new URLSearchParams(new FormData(form, button));
    return address.href;
  }

  const remember = (how) => (embedded ? "none" : how);

  document.addEventListener("input", (event) => {
    if (!event.target.matches("#query input[type=text]") || event.isComposing) return;
    clearTimeout(typing);
    typing = setTimeout(() => load(formAddress(), { how: "replace", keepTyped: true }), TYPING);
  });

  document.addEventListener("compositionend", ({ target }) =>
    target.dispatchEvent(new Event("input", { bubbles: true })),
  );

  document.addEventListener("submit", (event) => {
    if (event.target.id !== "query") return;
    event.preventDefault();
    load(formAddress(event.submitter), { how: "push", keepTyped: true });
  });

  document.addEventListener("change", ({ target }) => {
    const option = target.matches("select") && target.selectedOptions[0];
    if (option) load(target.dataset.start + option.dataset.rest, { how: remember("push") });
  });

  /* ── numbers: each field, and all sliders together, are a form of their own ── */
  const MOVING = 60; // milliseconds between two requests while a slider is moved
  let moving = 0;

  function numbersAddress(form) {
    const given = [...new FormData(form)].filter(([name, value]) => {
      const usual = form.elements[name].dataset?.usual;
      return value !== "" && (usual === undefined || Number(usual) !== Number(value));
    });
    return `${form.getAttribute("action")}?${new URLSearchParams(given)}`;
  }

  document.addEventListener("change", ({ target }) => {
    const form = target.closest?.("form.number");
    if (!form || !form.reportValidity()) return;
    clearTimeout(moving);
    load(numbersAddress(form), { how: remember(target.type === "range" ? "replace" : "push") });
  });

  document.addEventListener("input", ({ target }) => {
    const form = target.closest?.("form.sliders");
    if (!form) return;
    const digits = Number(target.dataset.digits);
    const said = Number(target.value).toLocaleString(document.documentElement.lang, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    });
    target.setAttribute("aria-valuetext", said);
    target.parentNode.querySelector("output").textContent = said;
    clearTimeout(moving);
    moving = setTimeout(() => load(numbersAddress(form), { how: "none", held: form.closest("[data-swap]") }), MOVING);
  });

  let shown = location.pathname + location.search;
  addEventListener("popstate", () => {
    const address = location.pathname + location.search; // a jump within the page changes only the part after #
    if (address !== shown) load(location.href, { how: "none" });
  });

  /* ── links ───────────────────────────────────────────────────────────── */
  async function copy(text, button, said = body.dataset.copied) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const field = Object.assign(document.createElement("textarea"), { value: text });
      body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
      button.focus();
    }
    say(said);
  }

  /* A server that was not told its address is named as this window reaches it. */
  function hereabouts() {
    for (const code of document.querySelectorAll("[data-here]")) {
      code.textContent = code.textContent.replaceAll(code.dataset.here, location.origin);
      code.removeAttribute("data-here");
    }
  }
  hereabouts();

  function otherTheme(link) {
    const next = Satzblick.theme() === "dark" ? "light" : "dark";
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const chosen = next === system ? "auto" : next;
    document.documentElement.dataset.theme = chosen;
    Satzblick.redraw();
    load(link.dataset[chosen], { how: "replace" });
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copies]");
    if (button) copy(document.getElementById(button.dataset.copies).textContent, button, body.dataset.copiedText);
    const link = event.target.closest("a");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    if (link.id === "theme") otherTheme(link);
    else if ("copy" in link.dataset) copy(new URL(link.getAttribute("href"), location.href).href, link);
    else if ("load" in link.dataset) load(link.href, { how: remember("push"), focus: link.dataset.focus });
    else return;
    event.preventDefault();
  });

  /* A switch is a link that says it is a switch, so the space bar works it too. */
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || !event.target.matches?.("[role=switch]")) return;
    event.preventDefault();
    event.target.click();
  });

  /* ── inside a slide ──────────────────────────────────────────────────── */
  if (!embedded || window.parent === window) return;

  let told = 0;
  function tell() {
    const height = Math.ceil(body.getBoundingClientRect().height);
    if (height && height !== told) window.parent.postMessage({ type: "satzblick:height", height }, "*");
    told = height;
  }
  new ResizeObserver(tell).observe(body);
  addEventListener("load", tell);

  /* The deck may be the page around, or the page around that one. */
  function turn(method) {
    let page = window;
    while (page !== page.parent) {
      page = page.parent;
      page.postMessage(JSON.stringify({ method }), "*");
    }
  }

  const turns = {
    ArrowRight: "next",
    ArrowDown: "next",
    PageDown: "next",
    ArrowLeft: "prev",
    ArrowUp: "prev",
    PageUp: "prev",
  };
  /* A field or slider that the keyboard has come to keeps its keys; one that was clicked lets them turn the slide. */
  let reached = null;
  addEventListener("focusin", ({ target }) => (reached = target.matches("input:focus-visible") ? target : null));
  addEventListener(
    "keydown",
    (event) => {
      const method = turns[event.key];
      if (!method || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
      if (event.target.matches?.("select") || event.target === reached) return; // an open list needs them
      event.preventDefault();
      event.stopPropagation();
      turn(method);
    },
    true,
  );
})();
