// The legend of a chart: one entry for each line, with the value under the cursor and its bounds; the arrow keys move the cursor.

import { moment } from "./clock.js";

const place = document.getElementById("legend");
const slider = document.getElementById("cursor");

/** Entries of a plot's series: { name, value, low, high, instead, stroke, dash, isRing }, of which value, its bounds and what is
 *  told instead of it are columns. */
export function legend(entries, digits) {
  const cells = entries.map((entry) => {
    const made = document.createElement("li"), key = document.createElement("span"), told = document.createElement("span");
    key.className = "line";
    key.style.borderTopColor = entry.stroke;
    key.style.borderTopStyle = entry.isRing ? "solid" : { 2: "dotted", 6: "dashed" }[entry.dash?.[0]] ?? "solid";
    if (entry.isRing) {
      key.classList.add("ring");
      key.style.borderColor = entry.stroke;
    }
    told.className = "told";
    made.append(key, entry.name, " ", told);
    return told;
  });
  const when = document.createElement("li");
  when.className = "when";
  place.replaceChildren(when, ...cells.map((cell) => cell.parentElement));

  const text = (plot, entry, index) => {
    const at = (column) => (column === undefined ? null : plot.data[column][index] ?? null);
    if (at(entry.value) === null) return at(entry.instead) === null ? "–" : `${digits(at(entry.instead))} predicted`;
    const hasBounds = at(entry.low) !== null && at(entry.high) !== null && at(entry.low) !== at(entry.high);
    return digits(at(entry.value)) + (hasBounds ? ` (${digits(at(entry.low))} – ${digits(at(entry.high))})` : "");
  };
  const show = (plot) => {
    const index = plot.cursor.idx ?? nearest(plot.data[0], Date.now() / 1000, plot.scales.x);
    const time = plot.data[0][index];
    when.textContent = time === undefined ? "–" : moment(time);
    cells.forEach((cell, number) => { cell.textContent = text(plot, entries[number], index); });
    if (document.activeElement !== slider) slider.value = index;
    slider.setAttribute("aria-valuetext", [when.textContent, ...entries.map((entry, number) => `${entry.name} ${cells[number].textContent}`)].join("; "));
  };
  const range = (plot) => {
    const times = plot.data[0], { min, max } = plot.scales.x;
    const first = times.findIndex((at) => at >= min), last = times.findLastIndex((at) => at <= max);
    [slider.min, slider.max] = [Math.max(0, first), Math.max(0, last)];
    show(plot);
  };
  return { hooks: { setCursor: [show], setScale: [(plot, name) => name === "x" && range(plot)] } };
}

/** Which of the times in sight is nearest to this moment. */
function nearest(times, moment, { min, max }) {
  const wanted = Math.min(max ?? moment, Math.max(min ?? moment, moment));
  const after = times.findIndex((at) => at > wanted);
  return Math.max(0, after < 0 ? times.length - 1 : after - 1);
}

/** Whoever moves the slider moves the cursor of the plot that is there then. */
export function movesCursor(plotNow) {
  slider.addEventListener("input", () => {
    const plot = plotNow(), index = Number(slider.value);
    plot.setCursor({ left: plot.valToPos(plot.data[0][index], "x"), top: plot.over.clientHeight / 2 }, true, true); // plots beside it follow
  });
}
