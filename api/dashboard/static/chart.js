// The chart of a queue: actual and predicted values with their bounds, of this queue and of those compared with it.

import { DAY, midnightAfter, moment, ticks, zone } from "./clock.js";
import { legend, movesCursor } from "./legend.js";
import { colour, highestLine, marks, withAlpha } from "./marks.js";
import { call, line } from "./page.js";
import { columns, isFan, isolated, issuedBefore, joined, table } from "./series.js";
import { remember } from "./view.js";

const DASH = [6, 4], DOTS = [2, 3];
const FIRST_DAY = { 1: 1, 2: 2 }, LAST_DAY = { today: 1, 1: 2, 2: 3, 3: 3 }; // of a tab, in days from the first midnight
// Okabe and Ito's colours, which people who see few colours can tell apart; the first queue has the colours of the page.
const OTHERS = ["#d55e00", "#009e73", "#cc79a7", "#e69f00"];

const place = document.getElementById("chart");

/** Seconds since 1970 of the midnight that is `days` after that of the day that is shown first. */
function midnight(days) {
  return midnightAfter(Number(place.dataset.midnight), days);
}

/** A value as it is shown: of a fraction the percentage. */
function scaled(value) {
  return value * Number(place.dataset.scale);
}

function digits(found) {
  if (found === null || found === undefined) return "–";
  const value = scaled(found);
  return value.toLocaleString("en", { maximumFractionDigits: Math.abs(value) < 9.95 ? 1 : 0 }) + unit();
}

function tick(value) {
  return value.toLocaleString("en", { maximumFractionDigits: 6 });
}

/** As wide as the longest number beside the axis: megabytes have eight digits. */
function room(_plot, values) {
  return Math.max(56, 16 + 7 * Math.max(0, ...(values ?? []).map((text) => String(text ?? "").length)));
}

function unit() {
  return place.dataset.unit ? `\u202f${place.dataset.unit}` : "";
}

/** uPlot's series and bands: for each queue actual, prediction, and the edges of a wide and a narrow band. */
function looks(queues) {
  const series = [{ label: "Time", value: (_plot, seconds) => seconds ? moment(seconds) : "–" }], bands = [];
  queues.forEach((queue, index) => {
    const first = series.length;
    const actual = index ? OTHERS[index - 1] : colour("actual");
    const predicted = index ? OTHERS[index - 1] : colour("prediction");
    const value = (_plot, found) => digits(found);
    const name = queues.length > 1 ? `${isolated(queue.name)}, ` : "";
    series.push(
      { label: `${name}actual`, stroke: actual, width: 1.6, value, points: { show: false } },
      { label: `${name}predicted`, stroke: predicted, width: 2, dash: DASH, value, points: { show: false } },
    );
    for (const edge of queue.isFan ? ["95 %", "5 %", "75 %", "25 %"] : ["upper bound", "lower bound"]) {
      series.push({ label: name + edge, stroke: "transparent", value, points: { show: false } });
    }
    const filled = index ? toRgb(predicted) : predicted;
    bands.push({ series: [first + 2, first + 3], fill: withAlpha(filled, 0.16) });
    if (queue.isFan) bands.push({ series: [first + 4, first + 5], fill: withAlpha(filled, 0.22) });
  });
  return { series, bands };
}

/** What was forecast before the day began, dotted between its bounds, and rings where the actual value left them. */
function looksBefore({ series, bands }) {
  const value = (_plot, found) => digits(found), first = series.length;
  const name = place.dataset.over ? `forecast of ${place.dataset.over}` : place.dataset.before ? "forecast before the day" : "forecast";
  series.push(
    { label: name, stroke: colour("muted"), width: 1.6, dash: DOTS, value, points: { show: false } },
    { label: `${name}, upper bound`, stroke: colour("line"), width: 1, value, points: { show: false } },
    { label: `${name}, lower bound`, stroke: colour("line"), width: 1, value, points: { show: false } },
    { label: "outside its bounds", stroke: "transparent", value, points: { show: true, size: 9, width: 2, stroke: colour("bad"), fill: "transparent" } },
  );
  bands.push({ series: [first + 1, first + 2], fill: withAlpha(colour("muted"), 0.1) });
  return { series, bands };
}

/** Of each line of the chart what the legend tells of it; the edges of bands are told with the lines within them. */
function entries(series) {
  const found = [];
  series.forEach(({ label, stroke, dash, points }, column) => {
    if (!column || stroke === "transparent" && !points.show || label.endsWith("bound")) return;
    const hasBounds = !label.endsWith("actual") && !points.show;
    const isRing = points.show === true;
    const name = /, (actual|predicted)$/.test(label) ? label : label[0].toUpperCase() + label.slice(1); // a queue's name stays as it is
    found.push({ name, value: column, stroke: isRing ? points.stroke : stroke, dash, isRing, ...(hasBounds && { low: column + 2, high: column + 1 }) });
  });
  return found.filter(({ name }) => place.dataset.before || name !== "Forecast");
}

function toRgb(hex) {
  return hex.match(/\w\w/g).map((part) => parseInt(part, 16)).join(" ");
}

/** The top of the chart: of the values, of the lines, and of a capacity that is tried, unless that lies far above all. */
function highest(limits, high) {
  const known = Math.max(high, highestLine(limits, high)), tried = Number(place.dataset.whatif ?? 0);
  return tried > 3 * known ? known : Math.max(known, tried);
}

function size() {
  return { width: Math.max(240, place.clientWidth), height: Math.max(260, Math.min(420, place.clientWidth * 0.5)) };
}

function options(queues, limits) {
  const drawn = looksBefore(looks(queues));
  const axis = { stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line"), width: 1 } };
  return {
    ...size(),
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    padding: [null, 36, null, null],
    legend: { show: false }, // ours says more with less
    cursor: { drag: { x: true, y: false } },
    scales: { y: { range: (_plot, _low, high) => [0, highest(limits, high ?? 0) * 1.05 || 1] } },
    axes: [
      { ...axis, label: `Time (${zone})`, labelSize: 24, size: 52, space: 64, values: ticks },
      { ...axis, label: place.dataset.metric + (place.dataset.unit ? `, ${place.dataset.unit}` : ""), labelSize: 22, size: room, values: (_plot, splits) => splits.map((value) => tick(scaled(value))) },
    ],
    plugins: [marks({ limits, changes: queues[0].changes, times: JSON.parse(place.dataset.times), said: JSON.parse(place.dataset.said), midnight: Number(place.dataset.midnight), digits }), legend(entries(drawn.series), digits), remembers()],
    ...drawn,
  };
}

/** Draw the columns; the plot is at `place.chart`, for whoever wants to look into it. */
export function draw(queues, data) {
  const kept = place.chart && { ...place.chart.scales.x };
  place.chart?.destroy();
  place.chart = new uPlot(options(queues, JSON.parse(place.dataset.lines)), data, place);
  if (kept) place.chart.setScale("x", { min: kept.min, max: kept.max });
}

/** From when to when a tab shows. */
function rangeOf(tab) {
  const times = place.chart.data[0];
  if (tab === "all") return { min: times[0], max: times.at(-1) };
  return { min: midnight(FIRST_DAY[tab] ?? 0), max: midnight(LAST_DAY[tab]) };
}

/** Remembers what is looked at, whoever has changed it: a button, a mouse, a tab. */
function remembers() {
  return { hooks: { setScale: [(plot, name) => {
    if (name !== "x" || plot !== place.chart || !place.dataset.drawn) return;
    const tab = place.dataset.tab, range = rangeOf(tab), { min, max } = plot.scales.x;
    const isWhole = Math.abs(min - range.min) < 1 && Math.abs(max - range.max) < 1;
    remember(tab, isWhole ? null : { min, max });
  }] } };
}

function showTab(tab) {
  place.dataset.tab = tab;
  place.chart.setScale("x", rangeOf(tab));
  for (const button of document.querySelectorAll("[data-tab][aria-pressed]")) {
    button.setAttribute("aria-pressed", String(button.dataset.tab === tab));
  }
}

function zoom(how) {
  const { min, max } = place.chart.scales.x;
  const part = (max - min) / 4;
  const [low, high] = { in: [part, -part], out: [-2 * part, 2 * part], earlier: [-2 * part, -2 * part], later: [2 * part, 2 * part] }[how];
  const times = place.chart.data[0];
  place.chart.setScale("x", { min: Math.max(min + low, times[0] - DAY), max: Math.min(max + high, times.at(-1) + DAY) });
}

async function downloadPicture(name) {
  const drawn = place.querySelector("canvas");
  const picture = document.createElement("canvas");
  [picture.width, picture.height] = [drawn.width, drawn.height];
  const ctx = picture.getContext("2d");
  ctx.fillStyle = colour("card");
  ctx.fillRect(0, 0, picture.width, picture.height);
  ctx.drawImage(drawn, 0, 0);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await new Promise((done) => picture.toBlob(done)));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

function tell(problem) {
  const told = document.getElementById("chart-problem");
  told.hidden = false;
  told.textContent = line(problem);
}

async function start() {
  const queues = JSON.parse(place.dataset.queues);
  const from = new Date(Date.now() - Number(place.dataset.days) * DAY * 1000).toISOString();
  let found, before;
  try {
    [before, ...found] = await Promise.all([askBefore(), ...queues.map((queue) => call("GET", addressOf(queue, from)))]);
  } catch (problem) {
    tell(problem);
    return;
  }
  queues.forEach((queue, index) => {
    queue.isFan = isFan(found[index]);
    queue.changes = found[index].configuration_changes;
  });
  const data = joined([...found.map(columns), issuedBefore(before, found[0])]);
  draw(queues, data);
  showTab(place.dataset.tab);
  place.dataset.drawn = queues.length;
  if (place.dataset.from) place.chart.setScale("x", { min: Number(place.dataset.from), max: Number(place.dataset.to) });
  movesCursor(() => place.chart);
  document.querySelector(".cursor").hidden = false;
  document.addEventListener("theme", () => draw(queues, data));
  new ResizeObserver(() => {
    if (size().width !== place.chart.width) place.chart.setSize(size());
  }).observe(place);
  document.addEventListener("click", (event) => {
    const { tab, zoom: how } = event.target.closest("button")?.dataset ?? {};
    if (tab) showTab(tab);
    if (how) zoom(how);
  });
  document.addEventListener("whatif", ({ detail: capacity }) => {
    if (capacity === null || !(capacity > 0)) delete place.dataset.whatif;
    else place.dataset.whatif = capacity;
    const { min, max } = place.chart.scales.x;
    place.chart.setScale("x", { min, max }); // fits the height anew, and draws
  });
  document.getElementById("png").addEventListener("click", (event) => downloadPicture(event.target.dataset.name));
  const numbers = document.getElementById("numbers");
  numbers.addEventListener("toggle", () => numbers.querySelector("div").replaceChildren(...found.map((each) => table(each, zone, digits))), { once: true });
  document.getElementById("csv").href = `${addressOf(queues[0], from, "csv")}`;
}

/** The series of the forecast that was issued before the day, of this day, or all of the one that is laid over; null = there is none. */
function askBefore() {
  if (!place.dataset.before) return null;
  const address = new URL(JSON.parse(place.dataset.before).address, location.origin);
  if (place.dataset.over) return call("GET", address);
  address.searchParams.set("from", new Date(midnight(0) * 1000).toISOString());
  address.searchParams.set("to", new Date(midnight(1) * 1000).toISOString());
  return call("GET", address);
}

/** Where a queue's series since `from` is told; of an earlier forecast, since as long before that. */
function addressOf(queue, from, format) {
  const address = new URL(queue.address, location.origin);
  const issued = new Date(queue.issued_at);
  const earliest = issued < new Date(from) ? new Date(issued - Number(place.dataset.days) * DAY * 1000).toISOString() : from;
  address.searchParams.set("from", earliest);
  if (format) address.searchParams.set("format", format);
  else address.searchParams.set("points", "4000");
  return address;
}

if (place) start();
