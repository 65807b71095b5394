/* The sentence, the address and the frame around: fetches pages of this server and puts their parts in place. */
"use strict";

(() => {
  const TYPING = 300;
  const PATIENCE = 300;
  const body = document.body;
  const embedded = body.classList.contains("embed");
  const status = document.getElementById("status");
  const told = document.getElementById("told");
  const FIELDS = "#query input[type=text]";
  const TYPED = `${FIELDS}, form.number input[type=number]`;
  let request = null;
  let awaited = null; // { url, how, sent, control }: what is asked for, what stood in the fields then, where it was chosen
  const later = new Map(); // choices in other controls meanwhile, which come after it: id → value
  let typing = 0;
  let quiet = 0;
  let swapping = false; // a field that is replaced says that it has changed, though nobody has left it
  let shown = location.pathname + location.search;

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
    const line = Object.assign(document.createElement("p"), { className: "page-error", role: "alert", textContent: text });
    place?.replaceChildren(line);
    dim(true);
    shown = null; // the address may be one step ahead of the figure
  }

  /* What an answer says to those who do not see it: what is wrong, else the summary. */
  function saying() {
    const wrong = [...document.querySelectorAll(".field-error")].map((error) => error.textContent);
    const summary = document.querySelector(".summary")?.textContent || document.getElementById("figure")?.ariaLabel;
    return (wrong.join(" ") || summary || "").replace(/\s+/g, " ").trim();
  }

  const typedValues = () => new Map([...document.querySelectorAll(TYPED)].map(({ id, value }) => [id, value]));

  /* What was typed since the answer was asked for, and what is being typed. */
  function newlyTyped(sent, keepTyped) {
    const typing = keepTyped && document.activeElement.id;
    return new Map([...typedValues()].filter(([id, value]) => id === typing || sent.get(id) !== value));
  }

  /* Fields keep what is typed; everything else is what the server says. */
  function fill(page, kept) {
    for (const fresh of page.querySelectorAll(FIELDS)) {
      const field = document.getElementById(fresh.id);
      if (!field) continue;
      field.defaultValue = fresh.defaultValue;
      if (!kept.has(field.id)) field.value = fresh.value;
      field.toggleAttribute("aria-invalid", fresh.hasAttribute("aria-invalid"));
      if (fresh.hasAttribute("aria-invalid")) field.setAttribute("aria-invalid", "true");
    }
    const form = document.getElementById("query");
    if (form && page.getElementById("query")) form.action = page.getElementById("query").getAttribute("action");
  }

  /* What somebody has opened and where they are in it; gives what brings them back there in a new figure. */
  function placeIn() {
    const figure = document.getElementById("figure");
    const player = document.querySelector(".player");
    const steps = player && Satzblick.stepsOf(figure).join();
    const [step, playing] = [player?.querySelector("input").value, player?.querySelector(".play").textContent !== "▶"];
    const { scrollLeft, scrollTop } = figure ?? {};
    const table = document.getElementById("numbers")?.open;
    return () => {
      const [fresh, other] = [document.getElementById("figure"), document.querySelector(".player")];
      if (table && document.getElementById("numbers")) document.getElementById("numbers").open = true;
      if (fresh === figure) return;
      fresh?.scrollTo(scrollLeft, scrollTop);
      if (!player || !other || Satzblick.stepsOf(fresh).join() !== steps) return;
      const slider = other.querySelector("input");
      if (slider.value === step) return;
      slider.value = step;
      slider.dispatchEvent(new Event("input", { bubbles: true }));
      if (playing) other.querySelector(".play").click();
    };
  }

  /* The focus stays with what has the same name, else with the field beside; in another view only what is typed goes on. */
  function focusAgain(active, caret, beside, elsewhere) {
    if (active.isConnected && !elsewhere) return;
    const again = elsewhere && !active.matches(FIELDS) ? null : document.getElementById(active.id);
    const place = again ?? document.getElementById(beside) ?? document.getElementById("main");
    place.focus({ preventScroll: true });
    if (again?.matches(FIELDS) && caret !== undefined) again.setSelectionRange(caret, caret);
  }

  function swap(page, kept, held) {
    const active = document.activeElement;
    const caret = active.selectionStart;
    const beside = active.closest(".field")?.querySelector("input").id;
    const [before, comeBack] = [saying(), placeIn()];
    const plot = document.querySelector("#result .js-plotly-plot");
    const elsewhere = page.body.dataset.page !== body.dataset.page;
    let stale = false;
    if (elsewhere) {
      document.getElementById("main").replaceWith(page.getElementById("main"));
      body.dataset.page = page.body.dataset.page;
    }
    for (const part of elsewhere ? [] : document.querySelectorAll("[data-swap]")) {
      const fresh = page.getElementById(part.id);
      if (!fresh || fresh === part || part === held) continue;
      const empty = !fresh.childElementCount && !fresh.textContent.trim();
      if (part.hasAttribute("data-keep") && empty) stale = true;
      else if (part.querySelector("input[type=text]:focus") && !fresh.hidden) {
        for (const inner of part.querySelectorAll("[data-swap]")) {
          const other = fresh.querySelector(`#${inner.id}`);
          if (other) inner.replaceWith(other);
        }
      } else part.replaceWith(fresh);
    }
    for (const part of elsewhere ? page.querySelectorAll("[data-swap]") : [])
      document.getElementById(part.id)?.replaceWith(part);
    if (!elsewhere) fill(page, kept);
    for (const [id, value] of kept) if (document.getElementById(id)) document.getElementById(id).value = value;
    document.title = page.title;
    document.documentElement.dataset.theme = page.documentElement.dataset.theme;
    Satzblick.start(plot?.isConnected ? null : plot);
    if (!elsewhere) comeBack();
    focusAgain(active, caret, beside, elsewhere);
    hereabouts();
    dim(stale);
    if (saying() !== before) told.textContent = elsewhere ? `${document.querySelector("h1").textContent} ${saying()}` : saying();
    return elsewhere;
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
    const { pathname, search } = new URL(url, location.href);
    const same = pathname + search === location.pathname + location.search; // no step back that changes nothing
    if (how === "push" && !same) history.pushState(null, "", url);
    else if (how === "push" || how === "replace") history.replaceState(null, "", url);
    shown = location.pathname + location.search;
  }

  /* `held` is a part that stays as it is: what somebody is just moving. */
  async function load(url, { how, keepTyped = false, focus = null, held = null, control = null }) {
    if (embedded) url = framed(url);
    clearTimeout(typing);
    request?.abort();
    const mine = (request = new AbortController());
    const sent = typedValues();
    awaited = { url, how, sent, control };
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
      swapping = false;
      if (mine === request) {
        awaited = null;
        chooseNext();
      }
    }
  }

  /* A choice while one in another control is awaited is made on the page that that one brings. */
  function choose(element) {
    const control = element.closest(".control");
    if (control && awaited?.control && control !== awaited.control) return void later.set(element.id, element.value);
    const url = element.matches("select") ? withTyped(element.dataset.start + element.selectedOptions[0].dataset.rest) : element.href;
    load(url, { how: remember("push"), focus: element.dataset.focus, control });
  }

  function chooseNext() {
    const [id, value] = later.entries().next().value ?? [];
    const element = later.delete(id) && document.getElementById(id);
    if (element) choose(value === undefined ? element : Object.assign(element, { value }));
  }

  /* ── the form ────────────────────────────────────────────────────────── */
  /* A choice that is still awaited is not in the form yet: to its address comes what was typed since. */
  function formAddress(button) {
    const form = document.getElementById("query");
    const address = new URL(awaited?.url ?? form.action, location.href);
    if (!awaited) address.search = new URLSearchParams(new FormData(form, button));
    else {
      for (const [id, value] of newlyTyped(awaited.sent))
        if (document.getElementById(id).matches(FIELDS)) address.searchParams.set(document.getElementById(id).name, value);
      if (button?.name) address.searchParams.set(button.name, button.value);
    }
    return address.href;
  }

  /* An address with the sentences of the last answer takes those that are typed now. */
  function withTyped(url) {
    const address = new URL(url, location.href);
    for (const { name, value, defaultValue } of document.querySelectorAll(FIELDS))
      if (value !== defaultValue && address.searchParams.get(name) === defaultValue) address.searchParams.set(name, value);
    return address.href;
  }

  const remember = (how) => (embedded ? "none" : how);
  const going = () => (awaited?.how === "push" ? "push" : "replace"); // the step of an awaited choice stays a step

  document.addEventListener("input", (event) => {
    if (!event.target.matches("#query input[type=text]") || event.isComposing) return;
    clearTimeout(typing);
    typing = setTimeout(() => load(formAddress(), { how: going(), keepTyped: true }), TYPING);
  });

  document.addEventListener("compositionend", ({ target }) =>
    target.dispatchEvent(new Event("input", { bubbles: true })),
  );

  document.addEventListener("submit", (event) => {
    if (event.target.matches("form.number")) event.preventDefault(); // its change, which comes first, has asked already
    if (event.target.id !== "query") return;
    event.preventDefault();
    load(formAddress(event.submitter), { how: "push", keepTyped: true });
  });

  document.addEventListener("change", ({ target }) => target.matches("select") && choose(target));

  /* ── numbers: each field, and all sliders together, are a form of their own ── */
  const MOVING = 60; // milliseconds between two requests while a slider is moved
  let moving = 0;

  function numbersAddress(form) {
    const given = [...new FormData(form)].filter(([name, value]) => {
      const usual = form.elements[name].dataset?.usual;
      return value !== "" && (usual === undefined || Number(usual) !== Number(value));
    });
    return withTyped(`${form.getAttribute("action")}?${new URLSearchParams(given)}`);
  }

  document.addEventListener("change", ({ target }) => {
    const form = target.closest?.("form.number");
    if (!form || swapping || !form.reportValidity()) return;
    clearTimeout(moving);
    load(numbersAddress(form), { how: remember(target.type === "range" ? "replace" : "push") });
  });

  document.addEventListener("input", ({ target }) => {
    const form = target.closest?.("form.sliders");
    if (!form) return;
    const digits = Number(target.dataset.digits);
    const exactly = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    const said = Number(target.value).toLocaleString(document.documentElement.lang, exactly);
    target.setAttribute("aria-valuetext", said);
    target.parentNode.querySelector("output").textContent = said;
    clearTimeout(moving);
    moving = setTimeout(() => load(numbersAddress(form), { how: "none", held: form.closest("[data-swap]") }), MOVING);
  });

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
    const address = new URL(withTyped(link.dataset[chosen]));
    if (awaited && document.getElementById("query")) {
      address.href = formAddress();
      if (chosen === "auto") address.searchParams.delete("theme");
      else address.searchParams.set("theme", chosen);
    }
    load(address.href, { how: going() });
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copies]");
    if (button) copy(document.getElementById(button.dataset.copies).textContent, button, body.dataset.copiedText);
    const link = event.target.closest("a");
    if (link?.hasAttribute("href") && !link.matches("[id^=example], [href^='#']")) {
      const address = withTyped(link.href);
      if (address !== link.href) link.href = address;
    }
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    if (link.id === "theme") otherTheme(link);
    else if ("copy" in link.dataset) copy(new URL(link.getAttribute("href"), location.href).href, link);
    else if ("load" in link.dataset) choose(link);
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

  let last = 0;
  function tell() {
    const height = Math.ceil(body.getBoundingClientRect().height);
    if (height && height !== last) window.parent.postMessage({ type: "satzblick:height", height }, "*");
    last = height;
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

  const turns = { ArrowRight: "next", ArrowDown: "next", PageDown: "next", ArrowLeft: "prev", ArrowUp: "prev", PageUp: "prev" };
  /* What the keyboard has come to keeps the keys it needs; what was clicked lets them turn the slide. */
  let reached = null;
  addEventListener("focusin", ({ target }) => (reached = target.matches(":focus-visible") ? target : null));

  /* Whether a box has more to show in an arrow's direction. */
  function scrolls(box, key) {
    const across = key === "ArrowLeft" || key === "ArrowRight";
    const style = getComputedStyle(box);
    if (!/auto|scroll/.test(across ? style.overflowX : style.overflowY)) return false;
    const hidden = across ? box.scrollWidth - box.clientWidth : box.scrollHeight - box.clientHeight;
    const at = across ? box.scrollLeft : box.scrollTop;
    return key === "ArrowLeft" || key === "ArrowUp" ? at > 1 : at < hidden - 1;
  }

  function needs(target, key) {
    if (target.matches("select")) return true; // an open list, however it was opened
    if (target !== reached || target.matches("input")) return target === reached;
    return key.startsWith("Arrow") && (target.matches(".places a") || scrolls(target, key));
  }
  addEventListener(
    "keydown",
    (event) => {
      const method = turns[event.key];
      if (!method || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
      if (event.target.matches && needs(event.target, event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      turn(method);
      // A deck may take a figure away with its slide, and the focus with it: what was clicked gives it back before.
      if (event.target !== reached && window.parent === window.top) window.parent.focus();
    },
    true,
  );
})();
