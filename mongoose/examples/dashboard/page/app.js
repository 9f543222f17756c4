// The dashboard's page: curves and settings as the server tells them over a WebSocket.
"use strict";

const $ = id => document.getElementById(id);
const KEPT = 600; // points of a curve, as the server keeps
const UNITS = { temperature: "°C", humidity: "%", power: "W", voltage: "V", pressure: "hPa" };

const curves = new Map(); // name: { points: [[ms, value], ...], tile, color }
let settings = null;
let chosen = null;
let socket = null;
let pointer = null; // where on the chart the mouse is

// ---- in and out

function show(where) {
  document.body.className = where;
  if (where === "outside") {
    document.title = "Log in";
    $("login").elements.user.focus();
  }
}

async function ask(method, path, body) {
  const init = { method, headers: {} };
  if (body !== undefined) {
    init.headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  const reply = await fetch(path, init);
  const answer = reply.status === 204 ? null : await reply.json();
  if (!reply.ok) throw Object.assign(new Error(answer.error), { status: reply.status });
  return answer;
}

function tell(form, text, good) {
  const line = form.querySelector(".problem");
  line.textContent = text;
  line.classList.toggle("good", Boolean(good));
}

$("login").onsubmit = async event => {
  event.preventDefault();
  const form = event.target;
  try {
    await ask("POST", "/api/login", Object.fromEntries(new FormData(form)));
    form.reset();
    tell(form, "");
    enter();
  } catch (error) {
    tell(form, error.message);
  }
};

$("logout").onclick = async () => {
  await ask("POST", "/api/logout").catch(() => {});
  leave();
};

function enter() {
  show("inside");
  connect();
}

function leave() {
  if (socket) socket.onclose = null, socket.close();
  socket = null;
  curves.clear();
  $("tiles").replaceChildren();
  settings = chosen = null;
  show("outside");
}

// ---- the WebSocket

function connect() {
  socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/ws");
  socket.onmessage = event => take(JSON.parse(event.data));
  socket.onclose = () => {
    $("live").className = "";
    $("live").textContent = "connecting";
    // Is it the session that is over, or the server that is away?
    setTimeout(() => ask("GET", "/api/settings").then(connect, error => error.status === 401 ? leave() : socket.onclose()), 1000);
  };
}

function take(news) {
  $("live").className = "on";
  $("live").textContent = "live";
  if (news.curves) {
    for (const [name, points] of news.curves) curve(name).points = points;
  }
  for (const [name, points] of news.points ?? []) {
    const known = curve(name);
    known.points = known.points.concat(points).slice(-KEPT);
  }
  if (news.settings) fill(news.settings);
  if (news.status) {
    const { alarm, ignored, received, source, uptime } = news.status;
    $("alarm").hidden = !alarm;
    $("source").textContent = source;
    $("status").textContent = `up ${duration(uptime)}, ${received} values` + (ignored ? `, ${ignored} ignored` : "");
  }
  draw();
}

function duration(seconds) {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  return parts.map(part => String(part).padStart(2, "0")).join(":");
}

// ---- curves

function title(name) {
  return name.split("/").pop() || name;
}

function curve(name) {
  let found = curves.get(name);
  if (found) return found;
  const tile = document.createElement("button");
  tile.className = "tile card";
  tile.title = name;
  const color = `--curve-${curves.size % 6}`;
  tile.style.setProperty("--mine", `var(${color})`);
  const [label, value, unit, spark] = ["span", "strong", "small", "canvas"].map(tag => document.createElement(tag));
  label.textContent = title(name);
  unit.textContent = UNITS[title(name)] ?? "";
  tile.append(label, value, unit, spark);
  tile.onclick = () => { chosen = name; draw(); };
  $("tiles").append(tile);
  found = { points: [], tile, color, value, spark };
  curves.set(name, found);
  chosen ??= name;
  choices();
  return found;
}

// What can be watched: the curves there are, and what is watched now.
function choices() {
  const select = $("settings").elements.watch;
  const names = new Set([...curves.keys(), ...(settings ? [settings.watch] : [])]);
  const before = select.value;
  select.replaceChildren(...[...names].map(name => new Option(name, name)));
  select.value = names.has(before) ? before : settings?.watch ?? "";
}

// ---- settings

function fill(news) {
  const before = settings;
  settings = news;
  $("name").textContent = document.title = news.name;
  choices();
  for (const field of $("settings").elements) {
    if (!field.name) continue;
    const is = field.type === "checkbox" ? "checked" : "value";
    // What somebody is typing stays, unless it was what there was before.
    if (!before || field !== document.activeElement || String(field[is]) === String(before[field.name])) {
      field[is] = news[field.name];
    }
  }
}

$("settings").onsubmit = async event => {
  event.preventDefault();
  const form = event.target;
  const { name, interval_ms, watch, limit, fan } = form.elements;
  try {
    await ask("PUT", "/api/settings", {
      name: name.value, interval_ms: Number(interval_ms.value), watch: watch.value,
      limit: Number(limit.value), fan: fan.checked,
    });
    tell(form, "Saved", true);
    setTimeout(() => tell(form, ""), 2000);
  } catch (error) {
    if (error.status === 401) leave();
    else tell(form, error.message);
  }
};

// ---- drawing

function number(value) {
  return Math.abs(value) >= 1000 ? value.toFixed(0) : Math.abs(value) >= 100 ? value.toFixed(1) : value.toFixed(2);
}

function pen(canvas) {
  const scale = devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
  if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return [context, width, height];
}

// A color of the style sheet, as it is in this theme.
function color(name) {
  const probe = $("chart");
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

function extent(points, more = []) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of [...points.map(point => point[1]), ...more]) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const room = (high - low || Math.abs(high) || 1) * 0.08;
  return [low - room, high + room];
}

function trace(context, points, x, y) {
  context.beginPath();
  points.forEach(([time, value], at) => at ? context.lineTo(x(time), y(value)) : context.moveTo(x(time), y(value)));
}

function draw() {
  for (const [name, { points, tile, color: own, value, spark }] of curves) {
    const last = points.at(-1);
    if (!last) continue;
    value.textContent = number(last[1]);
    tile.setAttribute("aria-pressed", String(name === chosen));
    tile.classList.toggle("above", name === settings?.watch && last[1] > settings.limit);
    const recent = points.slice(-60);
    const [context, width, height] = pen(spark);
    const [low, high] = extent(recent);
    const [from, to] = [recent[0][0], last[0]];
    context.strokeStyle = color(own);
    context.lineWidth = 1.6;
    context.lineJoin = "round";
    trace(context, recent, time => (time - from) / (to - from || 1) * width, v => 2 + (high - v) / (high - low) * (height - 4));
    context.stroke();
  }
  chart();
}

// Steps of 1, 2 or 5 times a power of ten.
function ticks(low, high, most) {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(n => n * power).find(n => n >= rough);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high; at += step) found.push(at);
  return [found, Math.max(0, -Math.floor(Math.log10(step) + 1e-9))];
}

function chart() {
  const [context, width, height] = pen($("chart"));
  const points = curves.get(chosen)?.points ?? [];
  if (!points.length) return;
  const unit = UNITS[title(chosen)] ?? "";
  $("charted").textContent = title(chosen);
  const limit = chosen === settings?.watch ? [settings.limit] : [];
  const [low, high] = extent(points, limit);
  const [from, to] = [points[0][0], points.at(-1)[0]];
  const [left, right, top, bottom] = [46, width - 8, 8, height - 24];
  const x = time => left + (time - from) / (to - from || 1) * (right - left);
  const y = value => top + (high - value) / (high - low) * (bottom - top);
  $("range").textContent = `last ${duration((to - from) / 1000)}`;
  const [line, quiet, own] = [color("--line"), color("--quiet"), color(curves.get(chosen).color)];
  context.font = "12px system-ui, 'DejaVu Sans', sans-serif";
  context.lineWidth = 1;
  context.textBaseline = "middle";
  context.textAlign = "right";
  const [levels, digits] = ticks(low, high, 6);
  for (const level of levels) {
    context.strokeStyle = line;
    context.beginPath();
    context.moveTo(left, y(level));
    context.lineTo(right, y(level));
    context.stroke();
    context.fillStyle = quiet;
    context.fillText(level.toFixed(digits), left - 8, y(level));
  }
  context.textBaseline = "alphabetic";
  context.textAlign = "center";
  const count = Math.max(2, Math.floor((right - left) / 110));
  for (let at = 0; at < count; at++) {
    const time = from + (to - from) * (at + 0.5) / count;
    context.fillText(new Date(time).toLocaleTimeString([], { hour12: false }), x(time), height - 5);
  }
  // The curve, and what is below it in a haze.
  const haze = context.createLinearGradient(0, top, 0, bottom);
  haze.addColorStop(0, own.replace(/^rgb\((.*)\)$/, "rgb($1, .28)"));
  haze.addColorStop(1, own.replace(/^rgb\((.*)\)$/, "rgb($1, 0)"));
  trace(context, points, x, y);
  context.lineTo(x(to), bottom);
  context.lineTo(x(from), bottom);
  context.fillStyle = haze;
  context.fill();
  trace(context, points, x, y);
  context.strokeStyle = own;
  context.lineWidth = 2;
  context.lineJoin = "round";
  context.stroke();
  for (const level of limit) {
    context.strokeStyle = context.fillStyle = color("--alarm");
    context.lineWidth = 1.4;
    context.setLineDash([6, 5]);
    context.beginPath();
    context.moveTo(left, y(level));
    context.lineTo(right, y(level));
    context.stroke();
    context.setLineDash([]);
    context.textAlign = "right";
    context.fillText("alarm", right - 2, y(level) - 6);
  }
  let [time, value] = points.at(-1);
  if (pointer !== null) {
    // The nearest point to the mouse.
    [time, value] = points.reduce((best, point) => Math.abs(x(point[0]) - pointer) < Math.abs(x(best[0]) - pointer) ? point : best);
    const text = `${number(value)} ${unit}   ${new Date(time).toLocaleTimeString([], { hour12: false })}`;
    context.textAlign = x(time) > (left + right) / 2 ? "right" : "left";
    context.fillStyle = color("--text");
    context.fillText(text, x(time) + (context.textAlign === "right" ? -10 : 10), top + 12);
    context.strokeStyle = quiet;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(x(time), top);
    context.lineTo(x(time), bottom);
    context.stroke();
  }
  context.fillStyle = own;
  context.beginPath();
  context.arc(x(time), y(value), 4, 0, 2 * Math.PI);
  context.fill();
}

$("chart").onmousemove = event => { pointer = event.offsetX; chart(); };
$("chart").onmouseleave = () => { pointer = null; chart(); };
addEventListener("resize", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

// Somebody who has a session already goes straight in.
ask("GET", "/api/settings").then(enter, () => show("outside"));
