// What is marked in the chart of a queue: weekends and known times behind the lines; the present, changes and limits on them.

import { weekends, DAY } from "./clock.js";
import { isolated } from "./series.js";

const IN_SIGHT = 1.5; // of the highest value
const MOST_LETTERS = 40; // of a change, in the chart
const MOST_DAYS = 120; // in which weekends can be told apart

/** The value of a colour that the style sheet names. */
export function colour(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`; // set from a script, which the policy allows
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

export function withAlpha(value, alpha) {
  const [red, green, blue] = value.match(/[\d.]+/g);
  return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
}

function stroke(ctx, style, dash, [fromX, fromY], [toX, toY]) {
  ctx.strokeStyle = ctx.fillStyle = style;
  ctx.setLineDash(dash.map((part) => part * devicePixelRatio));
  ctx.beginPath();
  ctx.moveTo(fromX, fromY);
  ctx.lineTo(toX, toY);
  ctx.stroke();
}

/** A time as a stripe over the whole height; its place on the screen, or null where it is out of sight. */
function stripe(plot, fill, from, to) {
  const { ctx, bbox } = plot;
  const [left, right] = [from, to].map((at) => Math.min(bbox.left + bbox.width, Math.max(bbox.left, plot.valToPos(at, "x", true))));
  if (right <= left) return null;
  ctx.fillStyle = fill;
  ctx.fillRect(left, bbox.top, Math.max(devicePixelRatio, right - left), bbox.height);
  return [left, right];
}

/** A text as far as it fits. */
function fitted(ctx, text, width) {
  let told = text;
  while (told.length > 1 && ctx.measureText(told).width > width) told = `${told.slice(0, -2)}…`;
  return told.length > 1 ? told : "";
}

/** Weekends grey, known times coloured and named along their feet. */
function drawTimes(plot, times, midnight) {
  const { ctx, bbox } = plot, { min, max } = plot.scales.x;
  const grey = withAlpha(colour("muted"), 0.09);
  const found = max - min > MOST_DAYS * DAY ? [] : weekends(midnight, min, max);
  plot.root.parentElement.dataset.weekends = found.filter(([from, to]) => stripe(plot, grey, from, to)).length;
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = "left";
  let drawn = 0;
  for (const time of times) {
    const style = colour(time.is_excluded ? "bad" : "good");
    const place = stripe(plot, withAlpha(style, 0.14), time.start, time.end);
    if (!place) continue;
    ctx.fillStyle = style;
    const room = Math.max(place[1], Math.min(place[0] + 90 * devicePixelRatio, bbox.left + bbox.width)) - place[0] - 6 * devicePixelRatio;
    ctx.fillText(fitted(ctx, isolated(time.name), room), place[0] + 3 * devicePixelRatio, bbox.top + bbox.height - (20 + 13 * (drawn % 2)) * devicePixelRatio);
    drawn += 1;
  }
  plot.root.parentElement.dataset.marked = drawn;
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
  plot.root.parentElement.dataset.changes = drawn;
}

/** A limit as steps over time: what it was until each change, and what it is since the last one. */
function drawLimit(plot, limit, told) {
  const { ctx, bbox } = plot, style = colour(limit.isLimit ? "bad" : "warn");
  const across = (at) => Math.min(bbox.left + bbox.width, Math.max(bbox.left, plot.valToPos(at, "x", true)));
  const end = bbox.top + bbox.height, upTo = (value) => Math.max(bbox.top, Math.min(end, plot.valToPos(value, "y", true)));
  let left = bbox.left;
  for (const { until, value } of limit.past ?? []) {
    const right = across(until);
    if (right > left && value !== null) stroke(ctx, style, [5, 4], [left, upTo(value)], [right, upTo(value)]);
    left = Math.max(left, right);
  }
  const y = plot.valToPos(limit.value, "y", true);
  if (y < bbox.top || y > end || left >= bbox.left + bbox.width) return;
  stroke(ctx, style, [5, 4], [left, y], [bbox.left + bbox.width, y]);
  const isTight = bbox.left + bbox.width - left < 140 * devicePixelRatio;
  ctx.textAlign = isTight ? "right" : "left";
  ctx.fillText(told, isTight ? bbox.left + bbox.width - 4 * devicePixelRatio : left + 4 * devicePixelRatio, y - 4 * devicePixelRatio);
  ctx.textAlign = "left";
}

/** What the cluster said last, of which no step is known yet: a dot with its value. */
function drawSaid(plot, { at, value }, told) {
  const { ctx, bbox } = plot, x = plot.valToPos(at, "x", true), y = plot.valToPos(value, "y", true);
  if (x < bbox.left || x > bbox.left + bbox.width || y < bbox.top || y > bbox.top + bbox.height) return;
  ctx.fillStyle = colour("actual");
  ctx.beginPath();
  ctx.arc(x, y, 4 * devicePixelRatio, 0, 2 * Math.PI);
  ctx.fill();
  const isRight = x > bbox.left + bbox.width / 2;
  ctx.textAlign = isRight ? "right" : "left";
  ctx.fillText(told, x + (isRight ? -8 : 8) * devicePixelRatio, y + 14 * devicePixelRatio);
  ctx.textAlign = "left";
  plot.root.parentElement.dataset.isSaid = "true";
}

/** The capacity that is tried below the chart. */
function drawTried(plot, value, told) {
  const { ctx, bbox } = plot, y = plot.valToPos(value, "y", true);
  if (y < bbox.top) return;
  ctx.lineWidth = 2 * devicePixelRatio;
  stroke(ctx, colour("accent"), [], [bbox.left, y], [bbox.left + bbox.width, y]);
  ctx.textAlign = "right";
  ctx.fillText(told, bbox.left + bbox.width - 4 * devicePixelRatio, y - 5 * devicePixelRatio);
  ctx.textAlign = "left";
}

/** A plugin of uPlot that marks all that is known: `limits`, `changes` and `times` of the queue, what its cluster `said` last; `digits` writes a value. */
export function marks({ limits, changes, times, said = null, midnight, digits }) {
  const drawOver = (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
    ctx.textAlign = "left";
    ctx.lineWidth = devicePixelRatio;
    const now = plot.valToPos(Date.now() / 1000, "x", true);
    if (now > bbox.left && now < bbox.left + bbox.width) {
      stroke(ctx, colour("muted"), [2, 3], [now, bbox.top], [now, bbox.top + bbox.height]);
      if (!said) ctx.fillText("now", now + 4 * devicePixelRatio, bbox.top + bbox.height - 6 * devicePixelRatio); // where no line is named
    }
    if (said) drawSaid(plot, said, `now ${digits(said.value)}`);
    drawChanges(plot, changes);
    for (const limit of limits) {
      const value = digits(limit.value); // "80 % of its limit" of 100 % says it already
      drawLimit(plot, limit, limit.name.startsWith(`${value} of`) ? limit.name : `${limit.name}, ${value}`);
    }
    const tried = plot.root.parentElement.dataset.whatif;
    if (tried !== undefined) drawTried(plot, Number(tried), `what if ${digits(Number(tried))}`);
    ctx.restore();
  };
  const drawUnder = (plot) => {
    plot.ctx.save();
    drawTimes(plot, times, midnight);
    plot.ctx.restore();
  };
  return { hooks: { drawClear: [drawUnder], draw: [drawOver] } };
}

/** How high the chart must reach for the lines: to all but those so far above the values that these could not be told apart. */
export function highestLine(limits, high) {
  const near = limits.filter((limit) => limit.name === "guaranteed").map((limit) => limit.value);
  const reach = IN_SIGHT * Math.max(high, ...near);
  return Math.max(0, ...near, ...limits.map((limit) => limit.value).filter((value) => value <= reach));
}
