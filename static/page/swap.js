/* Puts the parts of an answer in place of those that stand there; what is typed, opened and focused stays. */
"use strict";

(() => {
  const { stepsOf } = Satzblick.playback;
  const { pinAgain } = Satzblick.words;
  const { SENTENCES } = Satzblick.typed;
  const { body } = document;
  const told = document.getElementById("told");

  function dim(dimmed) {
    for (const part of document.querySelectorAll("[data-keep]")) part.classList.toggle("dim", dimmed);
  }

  /* What an answer says to those who do not see it: what is wrong, else the summary. */
  function saying() {
    const wrong = [...document.querySelectorAll(".field-error")].map((error) => error.textContent);
    const summary = document.querySelector(".summary")?.textContent || document.getElementById("figure")?.ariaLabel;
    return (wrong.join(" ") || summary || "").replace(/\s+/g, " ").trim();
  }

  /* Fields keep what is typed; everything else is what the server says. */
  function fill(page, kept) {
    for (const fresh of page.querySelectorAll(SENTENCES)) {
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
    const steps = player && stepsOf(figure).join();
    const [step, playing] = [player?.querySelector("input").value, player?.querySelector(".play").textContent !== "▶"];
    const { scrollLeft, scrollTop } = figure ?? {};
    const table = document.getElementById("numbers")?.open;
    return () => {
      const [fresh, other] = [document.getElementById("figure"), document.querySelector(".player")];
      if (table && document.getElementById("numbers")) document.getElementById("numbers").open = true;
      if (fresh === figure) return;
      fresh?.scrollTo(scrollLeft, scrollTop);
      if (figure && fresh) pinAgain(figure, fresh);
      if (!player || !other || stepsOf(fresh).join() !== steps) return;
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
    const again = elsewhere && !active.matches(SENTENCES) ? null : document.getElementById(active.id);
    const place = again ?? document.getElementById(beside) ?? document.getElementById("main");
    place.focus({ preventScroll: true });
    if (again?.matches(SENTENCES) && caret !== undefined) again.setSelectionRange(caret, caret);
  }

  /* What somebody presses stays under the pointer, however long the words above it become: the page scrolls along, and
     where it is at its top already, they keep their room. */
  function stay(place, top) {
    const moved = () => place.getBoundingClientRect().top - top;
    scrollBy({ top: moved(), behavior: "instant" });
    const summary = document.getElementById("summary");
    const box = summary?.getBoundingClientRect();
    if (moved() < 0 && box?.top < top) summary.style.minHeight = `${box.height - moved()}px`;
  }

  /* A server that was not told its address is named as this window reaches it. */
  function hereabouts() {
    for (const code of document.querySelectorAll("[data-here]")) {
      code.textContent = code.textContent.replaceAll(code.dataset.here, location.origin);
      code.removeAttribute("data-here");
    }
  }
  hereabouts();

  function swap(page, kept, held) {
    const active = document.activeElement;
    const [caret, { top }] = [active.selectionStart, active.getBoundingClientRect()];
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
    const canonical = page.querySelector("link[rel=canonical]"); // what a phone's menu shares
    if (canonical) document.querySelector("link[rel=canonical]").href = canonical.getAttribute("href");
    document.documentElement.dataset.theme = page.documentElement.dataset.theme;
    Satzblick.draw.start(plot?.isConnected ? null : plot);
    if (!elsewhere) comeBack();
    focusAgain(active, caret, beside, elsewhere);
    if (document.activeElement.id === active.id && document.activeElement.closest("#controls")) stay(document.activeElement, top);
    hereabouts();
    dim(stale);
    if (saying() !== before) told.textContent = elsewhere ? `${document.querySelector("h1").textContent} ${saying()}` : saying();
    return elsewhere;
  }

  Satzblick.swap = { dim, swap };
})();
