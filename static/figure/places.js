/* Links on a figure: the list that a page has without scripts is laid over it; rows lead on from what is lit. */
"use strict";

(() => {
  const { axisName } = Satzblick.text;
  const { drawn, beside, allBeside } = Satzblick.drawn;
  const { twin, write, unhover } = Satzblick.words;

  function placeLinks(figure) {
    const places = beside(figure, ".places");
    if (!places) return;
    const stage = figure.querySelector(".stage");
    const axes = drawn.get(figure).plot._fullLayout;
    const links = [...places.querySelectorAll("a")];
    if (!places.classList.contains("placed")) links.forEach((link, index) => (link.tabIndex = index ? -1 : 0));
    places.classList.add("placed");
    Object.assign(places.style, { left: `${stage.offsetLeft}px`, top: `${stage.offsetTop}px` });
    for (const link of links) {
      const [across, down] = link.dataset.axes.split(" ").map((id) => axes[axisName(id)]);
      const [left, top, right, bottom] = link.dataset.box.split(" ").map(Number);
      const clip = (place, from, size) => Math.max(0, Math.min(size, place - from)); // to what the box shows of it
      const ends = (axis, sides, from, size) =>
        sides.map((at) => clip(axis._offset + axis.l2p(at), from, size)).sort((one, two) => one - two); // axes run both ways
      const [x0, x1] = ends(across, [left, right], figure.scrollLeft, figure.clientWidth);
      const [y0, y1] = ends(down, [top, bottom], figure.scrollTop, figure.clientHeight);
      Object.assign(link.style, {
        left: `${x0}px`,
        top: `${y0}px`,
        width: `${x1 - x0}px`,
        height: `${y1 - y0}px`,
        visibility: x1 > x0 && y1 > y0 ? "" : "hidden",
      });
    }
  }

  /* The nearest link that lies that way. */
  function neighbour(link, key) {
    const middle = (box) => [box.left + box.width / 2, box.top + box.height / 2];
    const [x, y] = middle(link.getBoundingClientRect());
    const [right, down] = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[key];
    let [best, least] = [null, Infinity];
    for (const other of link.closest(".places").querySelectorAll("a")) {
      const [otherX, otherY] = middle(other.getBoundingClientRect());
      const ahead = (otherX - x) * right + (otherY - y) * down;
      const aside = Math.abs((otherX - x) * down) + Math.abs((otherY - y) * right);
      if (ahead > 1 && ahead + 3 * aside < least) [best, least] = [other, ahead + 3 * aside];
    }
    return best;
  }

  const tellLink = (link) => write(beside(link, ".word-line"), link.textContent, true);

  const linkOf = (target) => target.closest?.(".places.placed a");
  document.addEventListener("keydown", (event) => {
    const link = linkOf(event.target);
    if (!link || !event.key.startsWith("Arrow") || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    neighbour(link, event.key)?.focus();
  });
  document.addEventListener("focusin", ({ target }) => {
    const link = linkOf(target);
    if (!link) return;
    for (const other of link.closest(".places").querySelectorAll("a")) other.tabIndex = other === link ? 0 : -1;
    tellLink(link);
  });
  document.addEventListener("mouseover", ({ target }) => linkOf(target) && tellLink(linkOf(target)));
  document.addEventListener("mouseout", ({ target }) => linkOf(target) && unhover());

  /* ── rows that lead elsewhere: one link for each map, which goes along with what is pointed at ── */
  const onwardOf = (figure) => allBeside(figure, ".onward a");
  const rowsOf = (link) => JSON.parse(link.dataset.rows);

  function aim(link, index) {
    const { address, asks, words, label } = rowsOf(link);
    if (asks[index] === undefined) return false;
    link.setAttribute("href", `${address}&${asks[index]}`);
    link.textContent = label.replace("%word", () => words[index]);
    return true;
  }

  function aimAt(figure, word) {
    const { spec, words } = drawn.get(figure);
    for (const link of word ? onwardOf(figure) : []) {
      const entry = spec.tokens.find(({ axis }) => axis === rowsOf(link).axis);
      const index = entry?.positions.indexOf(twin(words, word, entry.run)) ?? -1;
      if (index >= 0) aim(link, index);
    }
  }

  function open(figure, point) {
    const link = onwardOf(figure).find((each) => rowsOf(each).axis === point.yaxis._id);
    if (link && aim(link, [point.pointIndex].flat()[0])) link.click();
    const field = document.querySelector("input[data-row-number]");
    if (!link && field) pick(field, point.yaxis.labelalias?.[point.y] ?? String(point.y));
  }

  /* A row is the number that a field takes, such as a unit; picked again, none is. */
  function pick(field, number) {
    field.value = field.defaultValue === number ? "" : number;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }

  /* Enter opens the row of the word that is lit. */
  function openLit(figure) {
    const { spec, shown } = drawn.get(figure);
    const word = shown?.row;
    const own = spec.tokens.filter(({ run, axis }) => run === word?.run && axis.startsWith("y"));
    onwardOf(figure).find((link) => own.some(({ axis }) => axis === rowsOf(link).axis))?.click();
  }

  Satzblick.places = { placeLinks, aimAt, open, openLit };
})();
