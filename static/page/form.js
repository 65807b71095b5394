/* The sentences: what is typed becomes an address that is asked for, after a rest or at once. */
"use strict";

(() => {
  const TYPING = 300; // milliseconds of rest after which a sentence is taken
  const { SENTENCES, newlyTyped } = Satzblick.typed;
  const { load, loadAfter, going, awaited } = Satzblick.ask;

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
    if (event.target.id !== "query") return;
    event.preventDefault();
    load(formAddress(event.submitter), { how: "push", keepTyped: true });
  });

  Satzblick.form = { formAddress };
})();
