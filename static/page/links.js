/* Links that bring another figure, another theme or something to paste. */
"use strict";

(() => {
  const { theme, dark } = Satzblick.frame;
  const { withTyped } = Satzblick.typed;
  const { load, say, going, awaited } = Satzblick.ask;
  const { choose } = Satzblick.choose;
  const { formAddress } = Satzblick.form;
  const { body } = document;

  async function copy(text, button, said = body.dataset.copied) {
    let done = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without https a page has no clipboard, but what is selected can be copied.
      const field = Object.assign(document.createElement("textarea"), { value: text });
      body.append(field);
      field.select();
      done = document.execCommand("copy");
      field.remove();
      button.focus();
    }
    say(done ? said : body.dataset.notCopied);
  }

  function otherTheme(link) {
    const next = theme() === "dark" ? "light" : "dark";
    const system = dark.matches ? "dark" : "light";
    const chosen = next === system ? "auto" : next;
    document.documentElement.dataset.theme = chosen;
    Satzblick.draw.redraw();
    const address = new URL(withTyped(link.dataset[chosen]));
    if (awaited() && document.getElementById("query")) {
      address.href = formAddress();
      if (chosen === "auto") address.searchParams.delete("theme");
      else address.searchParams.set("theme", chosen);
    }
    load(address.href, { how: going() });
  }

  /* Chapters that stay open when the focus has left them would cover what it comes to. */
  document.addEventListener("focusin", ({ target }) => {
    if (!target.closest("#chapters, .chapters-button")) document.querySelector("#chapters:popover-open")?.hidePopover();
  });

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
})();
