/* In a frame: tells the page around how high it is, and hands on the keys that turn slides. */
"use strict";

(() => {
  const { body } = document;
  if (!body.classList.contains("embed") || window.parent === window) return;

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
