/* How large the cells of maps are, how many maps stand side by side, and how their columns are named. */
"use strict";

(() => {
  const { LABEL, EDGE, NARROW, scale, embedded, onSlide, onPaper, onFixedHeight, lying, fitsHeight, leastLetters, roomOfCells } = Satzblick.frame;
  const { textWidth, plain, labelsOf, widest } = Satzblick.text;
  const CELL = { held: 11.5, least: 14, slide: 20, tabled: 50, touched: 64, readable: 20, valued: 34, usual: 64, single: 84, singleLeast: 34 };
  const TILE = { least: 64, most: 190, paper: 57 }; // of an atlas: side by side, and alone; two on a sheet, with their captions
  const SHEET = 500; // pixels: so high are its rows on paper, that a sheet on its side holds them
  const FEW = 8; // so few words should show their values, in more rows if need be
  const SINGLE_HEIGHT = 620;
  const SCREEN = 0.62; // of a page's window: so high are the rows of one map, that all of it is seen at once
  const PANEL_LEAST = 240;
  const PANEL_SLIDE = 110; // so that two sentences and their difference stand side by side
  const GAP = 30;
  const VALUE_AIR = 6; // beside the text of a cell

  const tabled = () => (innerWidth < NARROW ? CELL.touched : CELL.tabled);
  const plainCell = () => (innerWidth < NARROW ? CELL.held : CELL.least);
  const leastCell = (kind) => (onSlide() ? CELL.slide : kind === "table" ? tabled() : plainCell()) * scale();

  const leftOf = (panel, size) => panel.beside + widest(panel.names, size);
  const inRows = (panels, count) =>
    Array.from({ length: Math.ceil(panels.length / count) }, (_, row) => panels.slice(row * count, (row + 1) * count));

  function cellFor(rows, width, size) {
    return Math.min(
      ...rows.map((row) => {
        const labels = row.reduce((sum, panel) => sum + leftOf(panel, size), 0);
        return (width - labels - GAP * (row.length - 1) - EDGE) / row.reduce((sum, panel) => sum + panel.columns, 0);
      }),
    );
  }

  function rowsOf(panels, kind, width, size, dense) {
    const map = kind === "map" || kind === "atlas";
    const most = Math.max(...panels.map((panel) => panel.columns));
    const atlas = panels[0].atlas;
    const tile = onPaper() ? TILE.paper : TILE.least;
    const least = (atlas ? tile : most <= FEW && !dense ? CELL.valued : CELL.readable) * scale();
    const together = onFixedHeight() && kind === "wide" ? PANEL_SLIDE : PANEL_LEAST;
    for (let count = width < NARROW && !lying() && !onPaper() ? 1 : panels.length; ; count = count > 3 ? Math.ceil(count / 2) : count - 1) {
      const rows = inRows(panels, count);
      const cell = cellFor(rows, width, size);
      const large = map ? cell >= least : cell >= leastCell(kind) && cell * most >= together * scale();
      if (count === 1 || large) return { rows, cell }; // only panels that stand alone scroll: their words stay at the edge
    }
  }

  /* As large as a cell of so many rows becomes where there is room. */
  function usualCell(panels, rows) {
    const seen = onPaper() || embedded() ? Infinity : SCREEN * innerHeight;
    const single = Math.min(CELL.single, Math.max(CELL.singleLeast, Math.min(SINGLE_HEIGHT, seen) / rows));
    const tile = Math.min(TILE.most, Math.max(TILE.least, Math.min(seen, onPaper() ? SHEET : Infinity) / rows));
    return (panels[0].atlas ? tile : panels.length === 1 ? single : CELL.usual) * scale();
  }

  function largestCell(panels, rows) {
    const most = Math.max(...panels.map((panel) => panel.rows));
    const usual = usualCell(panels, most);
    const slide = fitsHeight() && rows.length === 1;
    const fitting = roomOfCells() / most;
    return slide ? Math.max(24 * scale(), Math.min(usual, fitting)) : usual;
  }

  /* Column labels stand flat where they fit, slanted where there is some room, else upright. */
  function columnLabels(rows, cell, upright = false) {
    const names = rows.flat().flatMap((panel) => labelsOf(panel.across));
    const usual = LABEL.usual * scale();
    const long = widest(names, usual);
    const room = cell - 4;
    if (long <= room) return { angle: 0, size: usual, slack: 0 };
    if ((usual * room) / long >= LABEL.flat * scale()) return { angle: 0, size: (usual * room) / long, slack: 0 };
    const size = Math.max(leastLetters(), Math.min(usual, cell * 0.8));
    if (upright || cell < CELL.readable * scale() * 1.2) return { angle: -90, size, slack: 0 };
    const reach = (name, place, { length }) => (widest([name], size) + size / 2) * 0.71 - cell * (length - place - 0.5);
    return { angle: -45, size, slack: Math.max(0, ...rows.flatMap((row) => labelsOf(row.at(-1).across).map(reach))) };
  }

  /* Slanted only where none of the last of them reaches beyond the figure. */
  function fittingLabels(rows, cell, width, size) {
    const columns = columnLabels(rows, cell);
    return cellFor(rows, width - columns.slack, size) < cell - 0.5 ? columnLabels(rows, cell, true) : columns;
  }

  function headOf(row, { angle, size }) {
    const names = row.flatMap((panel) => labelsOf(panel.across));
    if (!names.length) return 0;
    const long = widest(names, size);
    return angle === 0 ? size * 1.55 : angle === -90 ? long + 12 : long * 0.71 + size * 1.2;
  }

  /* How much width the longest text of a map's cells needs; that of numbers follows from their range. */
  function valueRoom({ text, coloraxis }, layout, size) {
    if (text) return VALUE_AIR + Math.max(0, ...text.flat().map((each) => textWidth(plain(each), size, "normal")));
    const { cmin, cmax } = layout[coloraxis];
    return VALUE_AIR + textWidth(`${cmin < 0 ? "−" : ""}${Math.trunc(Math.max(-cmin, cmax))},00`, size, "normal");
  }

  Satzblick.cells = {
    GAP, leastCell, leftOf, cellFor, rowsOf, usualCell, largestCell, columnLabels, fittingLabels, headOf, valueRoom,
  };
})();
