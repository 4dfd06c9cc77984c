// One tile of the grid, or one line above it, for one item.
import { ChartView } from "./chart.js";

export const words = (...parts) => parts.filter(Boolean).join(": ");
export const address = (item, part = item.kind) => `${part}/${item.key}/${item.version}`;
export const KINDS = { picture: "picture", document: "document", table: "table", chart: "chart" };

function make(tag, name, text) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== undefined) element.textContent = text;
  return element;
}

// A picture that changes often: the next one is loaded beside the shown one, and only the newest waits.
export class Still {
  constructor(image) {
    this.image = image;
    this.loading = "";
    this.next = "";
    this.failed = false;
    image.addEventListener("error", () => { this.failed = true; });
    image.addEventListener("load", () => { this.failed = false; });
    this.back = () => { // the program answers again: what could not be loaded is asked for once more
      if (this.failed) this.image.src = this.image.getAttribute("src");
    };
    document.addEventListener("back", this.back);
  }
  remove() { document.removeEventListener("back", this.back); }
  show(source) {
    if (this.loading) { this.next = source; return; }
    if (this.image.getAttribute("src") === source) return;
    if (!this.image.getAttribute("src")) { this.image.src = source; return; }
    this.loading = source;
    const beside = new Image();
    const done = () => {
      this.image.src = this.loading;
      this.loading = "";
      const next = this.next;
      this.next = "";
      if (next) this.show(next);
    };
    beside.onload = done;
    beside.onerror = done;
    beside.src = source;
  }
}

export class Tile {
  constructor(item, open) {
    this.element = make("li", `tile ${item.kind} fresh`);
    this.button = make("button", "open");
    this.button.type = "button";
    this.button.tabIndex = -1;
    this.button.addEventListener("click", open);
    this.face = make("div", "face");
    this.small = make("p", "small");
    this.element.append(this.button, this.face, this.small);
    this.element.dataset.key = item.key;
  }

  update(item) {
    const name = item.title || `Item ${item.key}`;
    this.button.textContent = name;
    this.button.setAttribute("aria-label", `${name}, ${KINDS[item.kind]}`);
    this.small.textContent = item.text || size(item);
    if (item.kind === "picture" && item.format !== "pdf") {
      if (!this.still) {
        const image = make("img");
        // Of very many the ones out of sight wait. Few are all fetched, to be there when the program has ended.
        if (document.querySelectorAll(".tile").length > 300) image.loading = "lazy";
        this.still = new Still(image);
        this.face.replaceChildren(image);
      }
      this.still.image.alt = words(name, item.text);
      this.still.show(address(item));
    } else if (item.kind === "chart") {
      this.chart ??= new ChartView(this.face, item);
      this.chart.update(item);
    } else if (item.kind === "table") {
      this.face.replaceChildren(preview(item));
    } else {
      this.face.replaceChildren(make("span", "sign", item.kind === "document" ? "HTML" : "PDF"));
    }
  }

  focus() { this.button.focus(); }

  remove() {
    this.chart?.remove();
    this.still?.remove();
    this.element.remove();
  }
}

function preview(item) {
  const table = make("table");
  table.setAttribute("aria-hidden", "true");
  const rows = [item.preview_columns, ...item.preview_rows];
  rows.forEach((cells, at) => {
    const row = table.insertRow();
    for (const cell of cells) row.append(make(at ? "td" : "th", "", cell));
  });
  return table;
}

function size(item) {
  if (item.kind === "table") return `${item.rows} rows, ${item.columns} columns`;
  if (item.kind === "chart") return "";
  return item.bytes >= 1e6 ? `${(item.bytes / 1e6).toFixed(1)} MB` : `${Math.max(1, Math.round(item.bytes / 1e3))} kB`;
}

export class Line {
  constructor(item) {
    this.element = make("div", "line");
    this.title = make("b");
    this.text = make("span");
    this.element.append(this.title);
    if (item.kind === "progress") {
      this.bar = make("progress");
      this.element.append(this.bar);
    }
    this.element.append(this.text);
  }

  update(item) {
    this.element.dataset.level = item.level || "info";
    this.title.textContent = item.title;
    this.text.textContent = item.text;
    if (!this.bar) return;
    this.bar.setAttribute("aria-label", item.title || "progress");
    if (item.total) [this.bar.max, this.bar.value] = [item.total, item.done];
    else this.bar.removeAttribute("value");
  }

  remove() { this.element.remove(); }
}
