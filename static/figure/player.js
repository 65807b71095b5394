/* Walks through a figure step by step: buttons, slider, keys, a deck's events; starts paused, unless it is an embed with
   autoplay that is seen. */
"use strict";

(() => {
  const { beside } = Satzblick.drawn;
  const { stepsOf, reveal } = Satzblick.playback;
  const PACE = 700; // milliseconds a step stays
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const timers = new WeakMap();

  const figureOf = (player) => beside(player, ".figure");
  const slider = (player) => player.querySelector("input");

  /* The slider says its step itself, and while a figure plays nobody could follow: only what a button did is said. */
  function tell(player, at, aloud) {
    const steps = stepsOf(figureOf(player));
    const said = `${at + 1}/${steps.length} · ${steps[at]}`;
    slider(player).setAttribute("aria-valuetext", said);
    const output = player.querySelector("output");
    output.ariaLive = aloud ? "polite" : "off";
    output.textContent = said;
  }

  function go(player, step, aloud = false) {
    const figure = figureOf(player);
    const at = Math.max(0, Math.min(stepsOf(figure).length - 1, step));
    slider(player).value = at;
    tell(player, at, aloud);
    reveal(figure, at);
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
      const next = Number(slider(player).value) + 1;
      if (!player.isConnected || go(player, next, next === last) >= last) pause(player);
    };
    timers.set(player, setInterval(step, PACE));
  }

  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.(".player button");
    const player = button?.closest(".player");
    if (!player) return;
    const playing = timers.has(player);
    pause(player);
    if (button.dataset.move) go(player, Number(slider(player).value) + Number(button.dataset.move), true);
    else if (!playing) play(player);
  });

  document.addEventListener("input", ({ target }) => {
    const player = target.closest?.(".player");
    if (!player) return;
    pause(player);
    go(player, Number(target.value));
  });

  document.addEventListener("satzblick:started", ({ detail: figure }) => {
    const player = beside(figure, ".player");
    if (!player) return;
    player.hidden = false;
    if (document.body.classList.contains("embed")) Satzblick.draw.redraw(); // there is less room now
    tell(player, stepsOf(figure).length - 1, false);
  });

  /* ── embeds: a deck says when its slide is shown, else it counts what is seen ── */
  const players = () => document.querySelectorAll(".player:not([hidden])");
  const automatic = () => document.body.dataset.autoplay === "1" && !still.matches; // else the last step stands
  const paused = new Set(); // those that go on when they are seen again
  const seen = new WeakMap();
  let stopped = false; // by the deck

  function restart(player) {
    pause(player);
    go(player, 0);
    play(player);
  }

  function follow(player) {
    const shown = seen.get(player) && document.visibilityState === "visible";
    if (!shown && timers.has(player)) {
      pause(player);
      paused.add(player);
    } else if (shown && !stopped && paused.delete(player)) play(player);
  }

  const watch = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const first = !seen.has(target);
      const player = beside(target, ".player");
      seen.set(target, isIntersecting).set(player, isIntersecting);
      if (first && automatic() && !stopped && !timers.has(player)) paused.add(player);
      follow(player);
    }
  });
  document.addEventListener("visibilitychange", () => players().forEach(follow));

  document.addEventListener("satzblick:started", ({ detail: figure }) => {
    if (document.body.classList.contains("embed") && beside(figure, ".player"))
      watch.observe(figure);
  });

  addEventListener("message", ({ data }) => {
    const name = typeof data === "string" ? data : data?.type;
    if (name === "slide:start" || name === "slide:stop") stopped = name === "slide:stop";
    for (const player of players()) {
      if (name === "slide:stop") pause(player);
      if (name === "slide:start" && automatic()) {
        paused.delete(player);
        restart(player);
      }
    }
    if (name === "slide:stop") paused.clear();
  });
})();
