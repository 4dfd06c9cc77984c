// The page: what the program shows, as it comes. Everything foreign is set as text, never as HTML.
import { Tile, Line, words } from "./tiles.js";
import { Big } from "./zoom.js";

const byId = (id) => document.getElementById(id);
const items = new Map(); // key -> what the program told of it
const tiles = new Map(); // key -> Tile or Line
let order = [];
let title = "x11fwd";
let epoch = "";
let source = null;
let lastSign = 0;
let over = false;
let fresh = [];
let sayingSoon = 0;

const big = new Big({ item: (key) => items.get(key), neighbours: shown, closed: (key) => tiles.get(key)?.focus() });

function shown() {
  return order.filter((key) => tiles.get(key) instanceof Tile);
}

function setState(name, text) {
  const state = byId("state");
  if (state.dataset.state === name && state.textContent === text) return;
  state.dataset.state = name;
  state.textContent = text;
}

function drawTitle() {
  const count = shown().length;
  byId("title").textContent = title;
  byId("count").textContent = count === 1 ? "1 item" : `${count} items`;
  document.title = count ? `(${count}) ${title}` : title;
  byId("empty").hidden = tiles.size > 0;
}

function groupOf(name) {
  for (const section of byId("groups").children) if (section.dataset.name === name) return section;
  const section = document.createElement("section");
  section.dataset.name = name;
  if (name) {
    const heading = document.createElement("h2");
    heading.textContent = name;
    section.append(heading);
    section.setAttribute("aria-label", name);
  }
  const list = document.createElement("ul");
  list.className = "grid";
  list.setAttribute("role", "list");
  section.append(list);
  byId("groups").append(section);
  return section;
}

function show(item) {
  const known = items.get(item.key);
  items.set(item.key, item);
  let tile = tiles.get(item.key);
  if (!tile) {
    const line = item.kind === "note" || item.kind === "progress";
    tile = line ? new Line(item) : new Tile(item, () => big.open(item.key));
    tiles.set(item.key, tile);
    if (!line) fresh.push(item.title);
  }
  tile.update(item);
  const place = tile instanceof Line ? byId("lines") : groupOf(item.group).querySelector("ul");
  if (tile.element.parentNode !== place) place.append(tile.element);
  if (item.kind === "note" && (!known || known.text !== item.text || known.title !== item.title)) {
    byId(item.level === "error" ? "alert" : "live").textContent = words(item.title, item.text);
  }
  big.changed(item);
}

function forget(key) {
  tiles.get(key)?.remove();
  tiles.delete(key);
  items.delete(key);
  big.gone(key);
}

function arrange(keys) {
  const wanted = new Set(keys);
  for (const key of [...items.keys()]) if (!wanted.has(key)) forget(key);
  order = keys.filter((key) => items.has(key));
  for (const section of [...byId("groups").children]) if (!section.querySelector("li")) section.remove();
  keepOneStop();
}

// One tile is reached by Tab, the others by the arrows.
function keepOneStop() {
  const buttons = [...document.querySelectorAll(".tile .open")];
  if (!buttons.some((button) => button.tabIndex === 0) && buttons.length) buttons[0].tabIndex = 0;
}

function say() {
  sayingSoon = 0;
  if (fresh.length) byId("live").textContent = fresh.length === 1 ? `New: ${fresh[0]}` : `${fresh.length} new items`;
  fresh = [];
}

function connect() {
  source?.close();
  source = new EventSource("events");
  source.addEventListener("hello", (event) => {
    const hello = JSON.parse(event.data);
    if (epoch && epoch !== hello.epoch) [...items.keys()].forEach(forget);
    epoch = hello.epoch;
    title = hello.title;
    signOfLife();
    drawTitle();
    document.dispatchEvent(new Event("back"));
  });
  source.addEventListener("change", (event) => {
    signOfLife();
    const change = JSON.parse(event.data);
    change.items.forEach(show);
    if (change.order) arrange(change.order);
    for (const item of change.items) if (!order.includes(item.key)) order.push(item.key);
    keepOneStop();
    drawTitle();
    big.draw();
    if (!sayingSoon && fresh.length) sayingSoon = setTimeout(say, 800);
  });
  source.addEventListener("alive", signOfLife);
  source.addEventListener("end", () => {
    over = true;
    source.close();
    setState("over", "The program has ended. What is shown stays.");
  });
  source.onerror = () => {
    if (over) return;
    setState("lost", "The program does not answer. Trying again…");
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
  };
}

function signOfLife() {
  lastSign = Date.now();
  setState("live", "live");
}

setInterval(() => {
  if (!over && lastSign && Date.now() - lastSign > 25000) {
    lastSign = Date.now();
    setState("lost", "The program does not answer. Trying again…");
    connect();
  }
}, 1000);

// --- colours ---------------------------------------------------------------------------------------------
const themes = ["", "light", "dark"];
const themeNames = ["as the system", "light", "dark"];
function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  const at = themes.indexOf(theme);
  byId("theme").setAttribute("aria-label", `Colours: ${themeNames[at]}`);
  byId("theme").title = `Colours: ${themeNames[at]}`;
  byId("theme").textContent = ["◐", "☀", "☾"][at];
  document.dispatchEvent(new Event("colours"));
}
byId("theme").addEventListener("click", () => {
  const next = themes[(themes.indexOf(document.documentElement.dataset.theme || "") + 1) % themes.length];
  try { localStorage.setItem("theme", next); } catch { /* a browser that keeps nothing */ }
  setTheme(next);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new Event("colours")));
let kept = "";
try { kept = localStorage.getItem("theme") || ""; } catch { /* same */ }
setTheme(themes.includes(kept) ? kept : "");

// --- arrows between tiles -----------------------------------------------------------------------------------
document.addEventListener("keydown", (event) => {
  const from = event.target.closest?.(".tile .open");
  if (!from || event.ctrlKey || event.altKey || event.metaKey) return;
  const buttons = [...document.querySelectorAll(".tile .open")];
  const at = buttons.indexOf(from);
  let to = null;
  if (event.key === "ArrowRight") to = buttons[at + 1];
  else if (event.key === "ArrowLeft") to = buttons[at - 1];
  else if (event.key === "Home") to = buttons[0];
  else if (event.key === "End") to = buttons.at(-1);
  else if (event.key === "ArrowDown" || event.key === "ArrowUp") to = vertical(buttons, from, event.key === "ArrowDown");
  else return;
  event.preventDefault();
  if (!to) return;
  from.tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
  to.closest(".tile").scrollIntoView({ block: "nearest" });
});
document.addEventListener("focusin", (event) => {
  if (!event.target.matches?.(".tile .open")) return;
  for (const button of document.querySelectorAll('.tile .open[tabindex="0"]')) button.tabIndex = -1;
  event.target.tabIndex = 0;
});

function vertical(buttons, from, down) {
  const box = from.closest(".tile").getBoundingClientRect();
  const middle = (box.left + box.right) / 2;
  let best = null;
  let least = Infinity;
  for (const button of buttons) {
    const other = button.closest(".tile").getBoundingClientRect();
    const away = down ? other.top - box.bottom : box.top - other.bottom;
    if (away < 0) continue;
    const distance = away * 10 + Math.abs((other.left + other.right) / 2 - middle);
    if (distance < least) [best, least] = [button, distance];
  }
  return best;
}

connect();
