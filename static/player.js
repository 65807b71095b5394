/* Walks through a figure step by step: buttons, slider, keys; starts paused. Also sends number fields when they change. */
"use strict";

(() => {
  const PACE = 700; // milliseconds a step stays
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const timers = new WeakMap();

  const figureOf = (player) => player.closest(".figure-frame").querySelector(".figure");
  const slider = (player) => player.querySelector("input");

  function go(player, step) {
    const figure = figureOf(player);
    const steps = Satzblick.stepsOf(figure);
    const at = Math.max(0, Math.min(steps.length - 1, step));
    slider(player).value = at;
    const said = `${at + 1}/${steps.length} · ${steps[at]}`;
    slider(player).setAttribute("aria-valuetext", said);
    player.querySelector("output").textContent = said;
    Satzblick.reveal(figure, at);
    return at;
  }

  function pause(player) {
    clearInterval(timers.get(player));
    timers.delete(player);
    const button = player.querySelector(".play");
    button.textContent = "▶";
    button.setAttribute("aria-label", button.dataset.play);
  }

  function play(player) {
    const last = Number(slider(player).max);
    if (Number(slider(player).value) >= last) go(player, 0);
    const button = player.querySelector(".play");
    button.textContent = "❚❚";
    button.setAttribute("aria-label", button.dataset.pause);
    const step = () => {
      if (!player.isConnected || go(player, Number(slider(player).value) + 1) >= last) pause(player);
    };
    timers.set(player, setInterval(step, PACE));
  }

  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.(".player button");
    const player = button?.closest(".player");
    if (!player) return;
    const playing = timers.has(player);
    pause(player);
    if (button.dataset.move) go(player, Number(slider(player).value) + Number(button.dataset.move));
    else if (!playing) play(player);
  });

  document.addEventListener("input", ({ target }) => {
    const player = target.closest?.(".player");
    if (!player) return;
    pause(player);
    go(player, Number(target.value));
  });

  document.addEventListener("satzblick:started", ({ detail: figure }) => {
    const player = figure.closest(".figure-frame").querySelector(".player");
    if (!player) return;
    player.hidden = false;
    const steps = Satzblick.stepsOf(figure);
    player.querySelector("output").textContent = `${steps.length}/${steps.length} · ${steps.at(-1)}`;
  });

  /* A deck says when its slide is shown; under reduced motion the last step stands. */
  addEventListener("message", ({ data }) => {
    const name = typeof data === "string" ? data : data?.type;
    for (const player of document.querySelectorAll(".player:not([hidden])")) {
      if (name === "slide:stop") pause(player);
      if (name === "slide:start" && document.body.dataset.autoplay === "1" && !still.matches) {
        go(player, 0);
        play(player);
      }
    }
  });

  /* A number field is a form of its own; page.js follows links, so the form becomes one. */
  document.addEventListener("change", ({ target }) => {
    const form = target.closest?.("form.number");
    if (!form || !form.reportValidity()) return;
    const values = [...new FormData(form)].filter(([, value]) => value !== "");
    const link = Object.assign(document.createElement("a"), {
      href: `${form.getAttribute("action")}?${new URLSearchParams(values)}`,
      hidden: true,
    });
    link.dataset.load = "";
    form.append(link);
    link.click();
    link.remove();
  });
})();
