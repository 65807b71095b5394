/* What is chosen in the controls and by links: lists, switches, numbers, sliders; one after the other. */
"use strict";

(() => {
  const MOVING = 60; // milliseconds between two requests while a slider is moved
  const { withTyped } = Satzblick.typed;
  const { load, loadAfter, remember, awaited, swapping } = Satzblick.ask;
  const later = new Map(); // choices made while one in a control is awaited, which come after it: id → value

  /* Each number field, and all sliders together, are a form of their own. */
  function numbersAddress(form) {
    const given = [...new FormData(form)].filter(([name, value]) => {
      const usual = form.elements[name].dataset?.usual;
      return value !== "" && (usual === undefined || Number(usual) !== Number(value));
    });
    return withTyped(`${form.getAttribute("action")}?${new URLSearchParams(given)}`);
  }

  function addressOf(element) {
    if (element.matches("input")) return numbersAddress(element.form);
    return element.matches("select") ? withTyped(element.dataset.start + element.selectedOptions[0].dataset.rest) : element.href;
  }

  /* A choice while one in a control is awaited is made on the page that that one brings, unless it is another in the same. */
  function choose(element, { how = element.type === "range" ? "replace" : "push", held = null } = {}) {
    const control = element.closest(".control");
    const before = awaited()?.control;
    if (before && before !== control && element.id) return void later.set(element.id, element.value);
    load(addressOf(element), { how: remember(how), focus: element.dataset.focus, held, control });
  }

  document.addEventListener("satzblick:answered", () => {
    const [id, value] = later.entries().next().value ?? [];
    const element = later.delete(id) && document.getElementById(id);
    if (element) choose(value === undefined ? element : Object.assign(element, { value }));
  });

  addEventListener("popstate", () => later.clear());

  document.addEventListener("change", ({ target }) => {
    const number = target.matches("form.number input");
    if (target.matches("select") || (number && !swapping() && target.form.reportValidity())) choose(target);
  });

  /* What was half typed when an answer came is no change to the browser when Enter is pressed or the field is left. */
  function takeNumber(field) {
    const asked = awaited()?.control === field.closest(".control") || later.has(field.id);
    if (field.value !== field.defaultValue && !asked && !swapping() && field.checkValidity()) choose(field);
  }

  const typedNumber = (form) => form.querySelector("input[type=number]");
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form.number")) return;
    event.preventDefault();
    if (typedNumber(event.target)) takeNumber(typedNumber(event.target));
  });
  document.addEventListener("focusout", ({ target }) => target.matches("form.number input[type=number]") && takeNumber(target));

  document.addEventListener("input", ({ target }) => {
    const form = target.closest?.("form.sliders");
    if (!form) return;
    const digits = Number(target.dataset.digits);
    const exactly = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    const said = Number(target.value).toLocaleString(document.documentElement.lang, exactly);
    target.setAttribute("aria-valuetext", said);
    target.parentNode.querySelector("output").textContent = said;
    loadAfter(MOVING, () => choose(target, { how: "none", held: form.closest("[data-swap]") }));
  });

  /* A switch is a link that says it is a switch, so the space bar works it too. */
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || !event.target.matches?.("[role=switch]")) return;
    event.preventDefault();
    if (!event.repeat) event.target.click();
  });

  Satzblick.choose = { choose };
})();
