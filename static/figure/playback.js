/* A figure up to a step: what comes after it stays hidden; of frames one is seen. */
"use strict";

(() => {
  const { axisName } = Satzblick.text;
  const { drawn } = Satzblick.drawn;
  const isFrame = (trace) => trace.meta?.frame !== undefined;
  const isLater = (trace) => trace.meta?.from > 0;

  function framed(trace, { spec, step }) {
    if (isLater(trace)) return { ...trace, visible: trace.meta.from <= (step ?? spec.playback.length) };
    if (!isFrame(trace)) return trace;
    return { ...trace, visible: trace.meta.frame === (step ?? spec.playback.length - 1) };
  }

  function walked(trace, step) {
    if (step === null || !trace.meta?.walked) return { ...trace };
    const upTo = (values) => (Array.isArray(values) ? values.slice(0, step + 1) : values);
    const shown = ["x", "y", "text", "hovertext", "textposition"].map((name) => [name, upTo(trace[name])]);
    return { ...trace, ...Object.fromEntries(shown.filter(([, value]) => value !== undefined)) };
  }

  function veil(figure) {
    const { spec, plot, step } = drawn.get(figure);
    const stage = figure.querySelector(".stage");
    stage.querySelectorAll(".veil").forEach((old) => old.remove());
    if (step === null || spec.panels?.kind === "chart" || spec.data.some((trace) => isFrame(trace) || isLater(trace))) return;
    for (const [x, y, line] of spec.panels?.columns ?? []) {
      const entry = spec.tokens.find((each) => each.axis === x);
      const hidden = entry?.positions.findIndex((position) => position > step) ?? -1;
      if (hidden < 0) continue;
      const [across, down] = [plot._fullLayout[axisName(x)], plot._fullLayout[axisName(y)]];
      const left = across._offset + across.l2p(hidden - 0.5);
      const top = line ? plot._fullLayout[axisName(line)]._offset : down._offset;
      const cover = Object.assign(document.createElement("div"), { className: "veil" });
      Object.assign(cover.style, {
        left: `${left}px`,
        top: `${top}px`,
        width: `${across._offset + across._length - left}px`,
        height: `${down._offset + down._length - top}px`,
      });
      stage.append(cover);
    }
  }

  /* Shows a figure up to a step; the last step is the whole figure. */
  function reveal(figure, step) {
    const state = drawn.get(figure);
    state.step = step >= state.spec.playback.length - 1 ? null : step;
    if (state.spec.data.some((trace) => trace.meta?.walked || isFrame(trace) || isLater(trace))) Satzblick.draw.draw(figure);
    else veil(figure);
  }

  const stepsOf = (figure) => drawn.get(figure)?.spec.playback ?? [];

  Satzblick.playback = { framed, walked, veil, reveal, stepsOf };
})();
