// The chart of a queue: actual and predicted values with their bounds, of this queue and of those compared with it.

import { call, line } from "./page.js";
import { columns, isFan, isolated, issuedBefore, joined, table } from "./series.js";

const DAY = 86_400;
const DASH = [6, 4], DOTS = [2, 3];
const FIRST_DAY = { 1: 1, 2: 2 }, LAST_DAY = { today: 1, 1: 2, 2: 3, 3: 3 }; // of a tab, in days from the first midnight
const IN_SIGHT = 1.5; // of the highest value
const MOST_LETTERS = 40; // of a change, in the chart
// Okabe and Ito's colours, which people who see few colours can tell apart; the first queue has the colours of the page.
const OTHERS = ["#d55e00", "#009e73", "#cc79a7", "#e69f00"];

const place = document.getElementById("chart");
const zone = document.body.dataset.zone;

/** The value of a colour that the style sheet names. */
function colour(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`; // set from a script, which the policy allows
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** Seconds since 1970 of the midnight that is `days` after that of the day that is shown first, in the page's time zone. */
function midnight(days) {
  const parts = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  let found = Number(place.dataset.midnight) + days * DAY; // an hour beside it where clocks have changed between
  for (let round = 0; round < 2; round += 1) {
    const [hours, minutes, seconds] = parts.format(found * 1000).split(":").map(Number);
    const past = hours * 3600 + minutes * 60 + seconds;
    found += past > DAY / 2 ? DAY - past : -past;
  }
  return found;
}

const inZone = (parts) => new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...parts });
const [dayFormat, hourFormat, monthFormat, momentFormat] = [
  { weekday: "short", day: "numeric", month: "short" },
  { hour: "2-digit", minute: "2-digit" },
  { month: "short", year: "numeric" },
  { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
].map(inZone);

function moment(seconds) {
  return momentFormat.format(seconds * 1000);
}

/** What stands at the ticks of the time axis: hours, with the day where one begins; days; or months. */
function ticks(_plot, splits, _axis, _space, increment) {
  if (increment >= 28 * DAY) return splits.map((seconds) => monthFormat.format(seconds * 1000));
  if (increment >= DAY) return splits.map((seconds) => dayFormat.format(seconds * 1000).replace(" ", "\n"));
  return splits.map((seconds) => {
    const hour = hourFormat.format(seconds * 1000);
    return hour === "00:00" ? `${hour}\n${dayFormat.format(seconds * 1000)}` : hour;
  });
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

function withAlpha(value, alpha) {
  const [red, green, blue] = value.match(/[\d.]+/g);
  return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
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
  const name = place.dataset.before ? "forecast before the day" : "forecast";
  series.push(
    { label: name, stroke: colour("muted"), width: 1.6, dash: DOTS, value, points: { show: false } },
    { label: `${name}, upper bound`, stroke: colour("line"), width: 1, value, points: { show: false } },
    { label: `${name}, lower bound`, stroke: colour("line"), width: 1, value, points: { show: false } },
    { label: "outside its bounds", stroke: "transparent", value, points: { show: true, size: 9, width: 2, stroke: colour("bad"), fill: "transparent" } },
  );
  bands.push({ series: [first + 1, first + 2], fill: withAlpha(colour("muted"), 0.1) });
  return { series, bands };
}

function toRgb(hex) {
  return hex.match(/\w\w/g).map((part) => parseInt(part, 16)).join(" ");
}

/** Vertical lines where the queue was configured otherwise from, each with what has changed; it is told as text below, too. */
function drawChanges(plot, changes) {
  const { ctx, bbox } = plot;
  let drawn = 0;
  for (const change of changes) {
    const x = plot.valToPos(Date.parse(change.changed_at) / 1000, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    const words = change.words.length > MOST_LETTERS ? `${change.words.slice(0, MOST_LETTERS - 1)}…` : change.words;
    stroke(ctx, colour("accent"), [1, 3], [x, bbox.top], [x, bbox.top + bbox.height]);
    ctx.textAlign = x > bbox.left + bbox.width / 2 ? "right" : "left";
    ctx.fillText(isolated(words), x + (ctx.textAlign === "left" ? 4 : -4) * devicePixelRatio, bbox.top + (26 + 14 * (drawn % 4)) * devicePixelRatio);
    drawn += 1;
  }
  ctx.textAlign = "left";
  place.dataset.changes = drawn;
}

/** Vertical lines at the present and at changes, and horizontal ones at what the queue has and can get. */
function lines(limits, changes) {
  return {
    hooks: {
      draw: [(plot) => {
        const { ctx, bbox } = plot;
        ctx.save();
        ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
        ctx.textAlign = "left";
        ctx.lineWidth = devicePixelRatio;
        const now = plot.valToPos(Date.now() / 1000, "x", true);
        if (now > bbox.left && now < bbox.left + bbox.width) {
          stroke(ctx, colour("muted"), [2, 3], [now, bbox.top], [now, bbox.top + bbox.height]);
          ctx.fillText("now", now + 4 * devicePixelRatio, bbox.top + bbox.height - 6 * devicePixelRatio); // where no line is named
        }
        drawChanges(plot, changes);
        for (const limit of limits) {
          const y = plot.valToPos(limit.value, "y", true);
          if (y < bbox.top || y > bbox.top + bbox.height) continue;
          stroke(ctx, colour(limit.isLimit ? "bad" : "warn"), [5, 4], [bbox.left, y], [bbox.left + bbox.width, y]);
          const value = digits(limit.value);  // "80 % of its limit" of 100 % says it already
          ctx.fillText(limit.name.startsWith(`${value} of`) ? limit.name : `${limit.name}, ${value}`, bbox.left + 4 * devicePixelRatio, y - 4 * devicePixelRatio);
        }
        ctx.restore();
      }],
    },
  };
}

function stroke(ctx, style, dash, [fromX, fromY], [toX, toY]) {
  ctx.strokeStyle = ctx.fillStyle = style;
  ctx.setLineDash(dash.map((part) => part * devicePixelRatio));
  ctx.beginPath();
  ctx.moveTo(fromX, fromY);
  ctx.lineTo(toX, toY);
  ctx.stroke();
}

/** How high the chart must reach for the lines: to all but those so far above the values that these could not be told apart. */
function highestLine(limits, high) {
  const near = limits.filter((limit) => limit.name === "guaranteed").map((limit) => limit.value);
  const reach = IN_SIGHT * Math.max(high, ...near);
  return Math.max(0, ...near, ...limits.map((limit) => limit.value).filter((value) => value <= reach));
}

function options(queues, limits) {
  const axis = { stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line"), width: 1 } };
  return {
    width: Math.max(240, place.clientWidth),
    height: Math.max(260, Math.min(420, place.clientWidth * 0.5)),
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    padding: [null, 28, null, null],
    legend: { markers: { dash: (plot, index) => (plot.series[index].dash ? "dashed" : "solid") } },
    cursor: { drag: { x: true, y: false } },
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(high ?? 0, highestLine(limits, high ?? 0)) * 1.05 || 1] } },
    axes: [
      { ...axis, label: `Time (${zone})`, labelSize: 24, size: 52, space: 64, values: ticks },
      { ...axis, label: place.dataset.metric + (place.dataset.unit ? `, ${place.dataset.unit}` : ""), labelSize: 22, size: room, values: (_plot, splits) => splits.map((value) => tick(scaled(value))) },
    ],
    plugins: [lines(limits, queues[0].changes)],
    ...looksBefore(looks(queues)),
  };
}

/** Draw the columns; the plot is at `place.chart`, for whoever wants to look into it. */
export function draw(queues, data) {
  const kept = place.chart && { ...place.chart.scales.x };
  place.chart?.destroy();
  place.chart = new uPlot(options(queues, JSON.parse(place.dataset.lines)), data, place);
  if (kept) place.chart.setScale("x", { min: kept.min, max: kept.max });
}

function showTab(tab) {
  const times = place.chart.data[0];
  const range = tab === "all"
    ? { min: times[0], max: times.at(-1) }
    : { min: midnight(FIRST_DAY[tab] ?? 0), max: midnight(LAST_DAY[tab]) };
  place.chart.setScale("x", range);
  for (const button of document.querySelectorAll("[data-tab][aria-pressed]")) {
    button.setAttribute("aria-pressed", String(button.dataset.tab === tab));
  }
  const address = new URL(location.href);
  address.searchParams.set("tab", tab);
  history.replaceState(null, "", address);
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
  document.addEventListener("theme", () => draw(queues, data));
  new ResizeObserver(() => {
    const { width, height } = options(queues, []);
    if (width !== place.chart.width) place.chart.setSize({ width, height });
  }).observe(place);
  document.addEventListener("click", (event) => {
    const { tab, zoom: how } = event.target.closest("button")?.dataset ?? {};
    if (tab) showTab(tab);
    if (how) zoom(how);
  });
  document.getElementById("png").addEventListener("click", (event) => downloadPicture(event.target.dataset.name));
  const numbers = document.getElementById("numbers");
  numbers.addEventListener("toggle", () => numbers.querySelector("div").replaceChildren(...found.map((each) => table(each, zone, digits))), { once: true });
  document.getElementById("csv").href = `${addressOf(queues[0], from, "csv")}`;
}

/** The series of the forecast that was issued before the day, of this day; null = it is the one that is shown. */
function askBefore() {
  if (!place.dataset.before) return null;
  const address = new URL(JSON.parse(place.dataset.before).address, location.origin);
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
