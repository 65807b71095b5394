/* What somebody types, moves or selects becomes an address that is asked for. */
"use strict";

(() => {
  const TYPING = 300; // milliseconds of rest after which a sentence is taken
  const MOVING = 60; // milliseconds between two requests while a slider is moved
  const { SENTENCES, newlyTyped, withTyped } = Satzblick.typed;
  const { load, loadAfter, choose, remember, going, awaited, swapping } = Satzblick.ask;

  /* A choice that is still awaited is not in the form yet: to its address comes what was typed since. */
  function formAddress(button) {
    const form = document.getElementById("query");
    const before = awaited();
    const address = new URL(before?.url ?? form.action, location.href);
    if (!before) address.search = new URLSearchParams(new FormData(form, button));
    else {
      for (const [id, value] of newlyTyped(before.sent))
        if (document.getElementById(id).matches(SENTENCES)) address.searchParams.set(document.getElementById(id).name, value);
      if (button?.name) address.searchParams.set(button.name, button.value);
    }
    return address.href;
  }

  document.addEventListener("input", (event) => {
    if (!event.target.matches(SENTENCES) || event.isComposing) return;
    loadAfter(TYPING, () => load(formAddress(), { how: going(), keepTyped: true }));
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
  function numbersAddress(form) {
    const given = [...new FormData(form)].filter(([name, value]) => {
      const usual = form.elements[name].dataset?.usual;
      return value !== "" && (usual === undefined || Number(usual) !== Number(value));
    });
    return withTyped(`${form.getAttribute("action")}?${new URLSearchParams(given)}`);
  }

  document.addEventListener("change", ({ target }) => {
    const form = target.closest?.("form.number");
    if (!form || swapping() || !form.reportValidity()) return;
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
    loadAfter(MOVING, () => load(numbersAddress(form), { how: "none", held: form.closest("[data-swap]") }));
  });

  Satzblick.form = { formAddress };
})();
