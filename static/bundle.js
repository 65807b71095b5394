/* The page of a bundle: a click on a figure shows it over the whole window; keys turn the figures as slides. */
"use strict";

(() => {
  const [list, stage, told] = ["list", "stage", "told"].map((id) => document.getElementById(id));
  const frame = stage.querySelector("iframe");
  const links = [...document.querySelectorAll(".show")];
  let shown = 0; // the number of the figure over the window, 0 where the list is seen

  const fromAddress = () => Math.min(links.length, Math.max(0, Number.parseInt(location.hash.slice(1), 10) || 0));

  function show(number) {
    const link = links[number - 1];
    list.hidden = Boolean(link);
    stage.hidden = !link;
    if (!link) {
      frame.removeAttribute("src");
      if (shown) {
        links[shown - 1].focus({ preventScroll: true });
        links[shown - 1].closest("li").scrollIntoView({ block: "center" });
      }
    } else if (number !== shown) {
      const title = link.querySelector(".title").textContent;
      frame.title = title;
      told.textContent = `${number}/${links.length} · ${title}`;
      frame.contentWindow.location.replace(new URL(link.getAttribute("href"), location.href)); // no step of its own back
      document.getElementById("back").disabled = number === 1;
      document.getElementById("on").disabled = number === links.length;
    }
    shown = link ? number : 0;
  }

  function go(number) {
    location.hash = number ? `#${number}` : "";
  }

  function turn(step) {
    if (shown) go(Math.min(links.length, Math.max(1, shown + step)));
  }

  addEventListener("hashchange", () => show(fromAddress()));
  document.addEventListener("click", (event) => {
    const link = event.target.closest(".show");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(Number(link.dataset.number));
  });
  document.getElementById("back").addEventListener("click", () => turn(-1));
  document.getElementById("on").addEventListener("click", () => turn(1));
  document.getElementById("close").addEventListener("click", () => go(0));

  /* On the list the arrows move from figure to figure, and Enter shows one, as with any link. */
  function move(step) {
    const now = links.indexOf(document.activeElement);
    const next = links[now < 0 ? 0 : Math.min(links.length - 1, Math.max(0, now + step))];
    next.focus();
    next.closest("li").scrollIntoView({ block: "nearest" });
  }

  const STEPS = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1 };
  addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const step = STEPS[event.key];
    if (event.key === "Escape" && shown) go(0);
    else if (shown && (event.key === "Home" || event.key === "End")) go(event.key === "Home" ? 1 : links.length);
    else if (step && shown) turn(step);
    else if (step && event.key.startsWith("Arrow")) move(step);
    else return;
    event.preventDefault();
  });

  /* A figure hands the keys on that turn slides, as to a deck. */
  addEventListener("message", ({ data, source }) => {
    if (source !== frame.contentWindow || typeof data !== "string") return;
    if (data === '{"method":"next"}') turn(1);
    if (data === '{"method":"prev"}') turn(-1);
  });

  /* Without the list there would be nothing to print. */
  addEventListener("beforeprint", () => (list.hidden = false));
  addEventListener("afterprint", () => (list.hidden = Boolean(shown)));
  show(fromAddress());
})();
