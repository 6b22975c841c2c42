// Queues side by side: a small chart each, all with one range and one cursor; or all lines in one chart.

import { midnightAfter, moment, ticks, zone } from "./clock.js";
import { legend, movesCursor } from "./legend.js";
import { colour, highestLine, marks, withAlpha } from "./marks.js";
import { call, line } from "./page.js";
import { columns, isolated, issuedBefore, joined } from "./series.js";
import { remember } from "./view.js";

const FIRST_DAY = { 1: 1 }, LAST_DAY = { today: 1, 1: 2, 3: 3 }; // of a tab, in days from the first midnight
const DASH = [6, 4], DOTS = [2, 3];
// After Okabe and Ito, and Tol: of twelve lines neighbours can be told apart, on white and on black.
const LINES = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#3fa0d8", "#aa4466", "#44aa99", "#8a8a2e", "#aa66cc", "#5a8a3a", "#7788aa"];
const HEIGHT = 180;

const place = document.getElementById("multiples");
const whole = document.getElementById("together");
const midnight = (days) => midnightAfter(Number(place.dataset.midnight), days);
const plots = [];
let isMoving = false; // one plot has changed the range of the others

const written = (scale, unit) => (found) => {
  if (found === null || found === undefined) return "–";
  const value = found * scale;
  return value.toLocaleString("en", { maximumFractionDigits: Math.abs(value) < 9.95 ? 1 : 0 }) + (unit ? `\u202f${unit}` : "");
};

function rangeOf(tab) {
  return { min: midnight(FIRST_DAY[tab] ?? 0), max: midnight(LAST_DAY[tab]) };
}

/** All plots show the same times, and the address says which. */
function follows() {
  return { hooks: { setScale: [(plot, name) => {
    if (name !== "x" || isMoving || !place.dataset.drawn) return;
    const { min, max } = plot.scales.x, range = rangeOf(place.dataset.tab);
    isMoving = true;
    for (const other of plots) if (other !== plot) other.setScale("x", { min, max });
    queueMicrotask(() => { isMoving = false; }); // plots commit in microtasks of their own, which were queued before
    remember(place.dataset.tab, Math.abs(min - range.min) < 1 && Math.abs(max - range.max) < 1 ? null : { min, max });
  }] } };
}

function shape(box, height, label, scale, limits, parts) {
  const axis = { stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line"), width: 1 } };
  return {
    width: Math.max(200, box.clientWidth),
    height,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    legend: { show: false },
    padding: [8, 36, 0, 0],
    cursor: { drag: { x: true, y: false }, sync: { key: "queues", scales: ["x", null] } },
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(high ?? 0, highestLine(limits, high ?? 0)) * 1.08 || 1] } },
    axes: [
      { ...axis, size: 46, space: 60, values: ticks },
      { ...axis, label, labelSize: label ? 20 : 0, size: 52, space: 34, values: (_plot, splits) => splits.map((value) => (value * scale).toLocaleString("en", { maximumFractionDigits: 6 })) },
    ],
    ...parts,
  };
}

/** What a small chart says in its caption: the values at the time that is chosen. */
function caption(figure, digits, before) {
  const told = figure.querySelector(".told");
  const show = (plot) => {
    const index = plot.cursor.idx ?? plot.data[0].findLastIndex((at) => at <= Date.now() / 1000);
    const at = (column) => plot.data[column]?.[index] ?? null;
    const parts = [["actual", 1], ["predicted", 2]].map(([name, column]) => at(column) !== null && `${name} ${digits(at(column))}`);
    if (before && at(before) !== null) parts.push(`before the day ${digits(at(before))}`);
    const time = plot.data[0][index];
    told.textContent = time === undefined ? "" : `${moment(time)}: ${parts.filter(Boolean).join(", ") || "–"}`;
  };
  return { hooks: { setCursor: [show], ready: [show] } };
}

/** A small chart: actual, predicted within its bounds, what was forecast before the day, the limit that hurts. */
function small(figure, chart, found, before, extra) {
  const data = joined([columns(found).slice(0, 5), issuedBefore(before, found).slice(0, 2)]);
  const hidden = { stroke: "transparent", points: { show: false } }, digits = written(chart.scale, chart.unit);
  const limits = chart.lines.slice(0, 1);
  const series = [
    {},
    { stroke: colour("actual"), width: 1.6, points: { show: false } },
    { stroke: colour("prediction"), width: 1.8, dash: DASH, points: { show: false } },
    hidden,
    hidden,
    { stroke: colour("muted"), width: 1.6, dash: DOTS, points: { show: false } },
  ];
  const plugins = [marks({ limits, changes: [], times: [], midnight: Number(place.dataset.midnight), digits }), caption(figure, digits, before && 5), follows(), ...extra];
  const box = figure.querySelector(".plot");
  box.replaceChildren();
  return new uPlot(shape(box, HEIGHT, "", chart.scale, limits, { series, bands: [{ series: [3, 4], fill: withAlpha(colour("prediction"), 0.16) }], plugins }), data, box);
}

/** All queues in one chart, a colour each: actual solid, predicted dashed. */
function together(charts, found) {
  const data = joined(found.map((each) => columns(each).slice(0, 3)));
  const { scale, unit } = charts[0], digits = written(scale, unit), series = [{}], entries = [];
  charts.forEach((chart, index) => {
    const stroke = LINES[index % LINES.length], points = { show: false };
    entries.push({ name: isolated(chart.name), value: series.length, instead: series.length + 1, stroke });
    series.push({ stroke, width: 1.6, points }, { stroke, width: 1.6, dash: DASH, points });
  });
  whole.hidden = false;
  document.querySelector(".multiples").hidden = true;
  const plugins = [marks({ limits: [], changes: [], times: [], midnight: Number(place.dataset.midnight), digits }), legend(entries, digits), follows()];
  return new uPlot(shape(whole, Math.max(260, Math.min(460, whole.clientWidth * 0.5)), unit, scale, [], { series, plugins }), data, whole);
}

async function start() {
  const figures = [...document.querySelectorAll("[data-chart]")], charts = figures.map((figure) => JSON.parse(figure.dataset.chart));
  const [from, tomorrow, to] = [0, 1, 3].map((days) => new Date(midnight(days) * 1000).toISOString());
  const ask = (address, end) => {
    const asked = new URL(address, location.origin);
    for (const [name, value] of Object.entries({ from, to: end, points: "1000" })) asked.searchParams.set(name, value);
    return call("GET", asked);
  };
  try {
    const answers = await Promise.all(charts.map(async (chart) => [await ask(chart.address, to), chart.before ? await ask(chart.before, tomorrow) : null]));
    show(figures, charts, answers);
    document.addEventListener("theme", () => show(figures, charts, answers));
  } catch (problem) {
    const told = document.getElementById("chart-problem");
    told.hidden = false;
    told.textContent = line(problem);
    return;
  }
  document.querySelector(".cursor").hidden = false;
  movesCursor(() => plots[0]);
  document.addEventListener("click", (event) => {
    const { tab } = event.target.closest("button")?.dataset ?? {};
    if (tab) showTab(tab);
  });
  new ResizeObserver(() => plots.forEach((plot) => {
    const width = Math.max(200, plot.root.parentElement.clientWidth);
    if (width !== plot.width) plot.setSize({ width, height: plot.height });
  })).observe(place);
}

function show(figures, charts, answers) {
  const kept = plots[0] && { ...plots[0].scales.x };
  delete place.dataset.drawn;
  for (const plot of plots.splice(0)) plot.destroy();
  if (place.dataset.together) plots.push(together(charts, answers.map(([found]) => found)));
  else charts.forEach((chart, index) => plots.push(small(figures[index], chart, ...answers[index], index ? [] : [legend([], String)])));
  const { from, to, tab } = place.dataset;
  const range = kept ?? (from ? { min: Number(from), max: Number(to) } : rangeOf(tab));
  for (const plot of plots) plot.setScale("x", range);
  place.plots = plots; // for whoever wants to look into them
  queueMicrotask(() => { place.dataset.drawn = plots.length; });
}

function showTab(tab) {
  place.dataset.tab = tab;
  for (const button of document.querySelectorAll("[data-tab][aria-pressed]")) button.setAttribute("aria-pressed", String(button.dataset.tab === tab));
  plots[0].setScale("x", rangeOf(tab));
}

if (place) start();
