// One item over the whole window: a picture with zoom and drag, a document in its frame, a table, a chart.
import { ChartView } from "./chart.js";
import { FigureView } from "./figure.js";
import { TableView } from "./table.js";
import { Still, address, words } from "./tiles.js";

const byId = (id) => document.getElementById(id);

export class Big {
  constructor({ item, neighbours, closed }) {
    this.item = item;
    this.neighbours = neighbours;
    this.key = null;
    this.view = null;
    this.numbers = null; // what the person chose for pictures that have data, if anything
    this.dialog = byId("big");
    byId("before").addEventListener("click", () => this.step(-1));
    byId("after").addEventListener("click", () => this.step(1));
    byId("larger").addEventListener("click", () => this.view?.zoom?.(1.25));
    byId("smaller").addEventListener("click", () => this.view?.zoom?.(0.8));
    byId("fit").addEventListener("click", () => this.view?.fit?.());
    byId("numbers").addEventListener("click", () => {
      this.numbers = !(this.view instanceof FigureView);
      this.open(this.key, byId("numbers"));
    });
    byId("close").addEventListener("click", () => this.dialog.close());
    byId("save").addEventListener("click", (event) => {
      if (!this.view?.picture) return;
      event.preventDefault();
      const item = this.item(this.key);
      this.view.picture().then((source) => {
        const link = document.createElement("a");
        [link.href, link.download] = [source, fileName(item, "png")];
        link.click();
      }).catch(() => { byId("alert").textContent = "The chart could not be saved."; });
    });
    this.dialog.addEventListener("keydown", (event) => this.typed(event));
    this.dialog.addEventListener("close", () => {
      if (this.dialog.open) return; // told late: the next one is open already
      const key = this.key;
      this.clear();
      this.key = null;
      history.replaceState(null, "", "#");
      closed(key);
    });
    document.addEventListener("back", () => {
      const shown = this.item(this.key);
      if (shown) this.changed(shown);
    });
    this.wanted = Number(location.hash.slice(1)) || null; // a page loaded again opens what was open
  }

  open(key, focused = byId("close")) {
    this.key = key;
    this.clear();
    const item = this.item(key);
    if (!item) return;
    history.replaceState(null, "", `#${key}`);
    if (!this.dialog.open) this.dialog.showModal();
    const stage = byId("stage");
    stage.className = item.kind === "table" ? "scrolls" : "";
    if (item.figure && (this.numbers ?? item.figure === "all")) this.view = new FigureView(stage);
    else if (item.kind === "picture" && item.format !== "pdf") this.view = new PictureView(stage);
    else if (item.kind === "picture") this.view = new FrameView(stage, false);
    else if (item.kind === "document") this.view = new FrameView(stage, true);
    else if (item.kind === "table") this.view = new TableView(stage);
    else if (item.kind === "chart") this.view = new ChartView(stage, item, true);
    this.changed(item);
    this.draw();
    focused.focus();
  }

  changed(item) {
    if (this.wanted === item.key) {
      this.wanted = null;
      queueMicrotask(() => this.open(item.key));
    }
    if (item.key !== this.key) return;
    byId("big-title").textContent = item.title || `Item ${item.key}`;
    byId("caption").textContent = item.text;
    if (this.view instanceof FigureView && !item.figure) { // it moves again: pictures are quicker
      this.open(item.key);
      return;
    }
    this.view?.update(item);
    byId("numbers").hidden = !item.figure;
    byId("numbers").setAttribute("aria-pressed", String(this.view instanceof FigureView));
    byId("numbers").title = "Zoom into the data (d)";
    const save = byId("save");
    save.hidden = !this.view?.file && !this.view?.picture;
    if (this.view?.file) [save.href, save.download] = this.view.file(item);
    else [save.href, save.download] = ["#", ""];
    byId("zooming").hidden = !this.view?.zoom;
  }

  draw() {
    if (this.key === null) return;
    const keys = this.neighbours();
    const at = keys.indexOf(this.key);
    byId("before").disabled = at <= 0;
    byId("after").disabled = at < 0 || at === keys.length - 1;
  }

  gone(key) {
    if (key === this.key) this.dialog.close();
  }

  clear() {
    this.view?.remove();
    this.view = null;
    byId("stage").replaceChildren();
  }

  step(by) {
    const keys = this.neighbours();
    const next = keys[keys.indexOf(this.key) + by];
    if (next !== undefined) this.open(next);
  }

  typed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("input")) return;
    const pan = { ArrowLeft: [80, 0], ArrowRight: [-80, 0], ArrowUp: [0, 80], ArrowDown: [0, -80] }[event.key];
    if (pan && this.view?.zoomed?.()) this.view.move(...pan);
    else if (event.key === "ArrowLeft" || event.key === "PageUp") this.step(-1);
    else if (event.key === "ArrowRight" || event.key === "PageDown") this.step(1);
    else if (event.key === "+" || event.key === "=") this.view?.zoom?.(1.25);
    else if (event.key === "-") this.view?.zoom?.(0.8);
    else if (event.key === "0") this.view?.fit?.();
    else if (event.key === "d" && !byId("numbers").hidden) byId("numbers").click();
    else return;
    event.preventDefault();
  }
}

const fileName = (item, end) => `${(item.title || "item").replace(/[^\p{L}\p{N}._-]+/gu, "_").slice(0, 100)}.${end}`;

class FrameView {
  constructor(stage, sandboxed) {
    this.frame = document.createElement("iframe");
    this.sandboxed = sandboxed;
    if (sandboxed) this.frame.setAttribute("sandbox", "allow-scripts");
    this.frame.setAttribute("referrerpolicy", "no-referrer");
    stage.append(this.frame);
  }
  update(item) {
    this.frame.title = item.title;
    const source = this.sandboxed ? `../frame/${item.frame}/${item.version}` : address(item);
    if (this.frame.getAttribute("src") !== source) this.frame.src = source;
  }
  file(item) {
    return this.sandboxed
      ? [`../frame/${item.frame}/${item.version}`, fileName(item, "html")]
      : [address(item), fileName(item, "pdf")];
  }
  remove() { this.frame.remove(); }
}

class PictureView {
  constructor(stage) {
    this.pane = document.createElement("div");
    this.pane.className = "pane";
    this.image = document.createElement("img");
    this.image.draggable = false;
    this.still = new Still(this.image);
    this.pane.append(this.image);
    stage.append(this.pane);
    this.scale = 0; // 0: as large as fits
    this.x = 0;
    this.y = 0;
    this.pointers = new Map();
    this.image.addEventListener("load", () => this.place());
    this.watching = new ResizeObserver(() => this.place());
    this.watching.observe(this.pane);
    this.pane.addEventListener("wheel", (event) => {
      event.preventDefault();
      const box = this.pane.getBoundingClientRect();
      this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), event.clientX - box.left, event.clientY - box.top);
    }, { passive: false });
    this.pane.addEventListener("dblclick", (event) => {
      const box = this.pane.getBoundingClientRect();
      if (this.zoomed()) this.fit();
      else this.zoom(1 / this.fitting() > 1.1 ? 1 / this.fitting() : 2, event.clientX - box.left, event.clientY - box.top);
    });
    this.pane.addEventListener("pointerdown", (event) => {
      this.pane.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    });
    this.pane.addEventListener("pointermove", (event) => this.dragged(event));
    for (const name of ["pointerup", "pointercancel"]) {
      this.pane.addEventListener(name, (event) => this.pointers.delete(event.pointerId));
    }
  }

  update(item) {
    this.image.alt = words(item.title, item.text);
    this.vector = item.format === "svg";
    this.still.show(address(item));
  }

  file(item) { return [address(item), fileName(item, item.format)]; }

  fitting() {
    const { naturalWidth: width, naturalHeight: height } = this.image;
    if (!width || !height) return 1;
    const scale = Math.min(this.pane.clientWidth / width, this.pane.clientHeight / height);
    return this.vector ? scale : Math.min(scale, Math.max(1, 1 / devicePixelRatio));
  }

  zoomed() { return this.scale > 0; }

  fit() {
    this.scale = 0;
    this.place();
  }

  zoom(by, x = this.pane.clientWidth / 2, y = this.pane.clientHeight / 2) {
    const before = this.scale || this.fitting();
    const after = Math.min(64, Math.max(Math.min(0.05, this.fitting()), before * by));
    this.x = x - ((x - this.x) * after) / before;
    this.y = y - ((y - this.y) * after) / before;
    this.scale = after;
    this.place();
  }

  move(x, y) {
    if (!this.zoomed()) return;
    this.x += x;
    this.y += y;
    this.place();
  }

  dragged(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY];
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) { // two fingers
      const box = this.pane.getBoundingClientRect();
      const distance = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]) || 1;
      this.zoom(distance(now) / distance(before), (now[0] + other[0]) / 2 - box.left, (now[1] + other[1]) / 2 - box.top);
    } else this.move(now[0] - before[0], now[1] - before[1]);
    this.pointers.set(event.pointerId, now);
  }

  place() {
    const scale = this.scale || this.fitting();
    const width = this.image.naturalWidth * scale;
    const height = this.image.naturalHeight * scale;
    const inside = (at, size, room) => (size <= room ? (room - size) / 2 : Math.min(0, Math.max(room - size, at)));
    this.x = inside(this.x, width, this.pane.clientWidth);
    this.y = inside(this.y, height, this.pane.clientHeight);
    this.image.style.transform = `translate(${this.x}px, ${this.y}px) scale(${scale})`;
    this.image.classList.toggle("coarse", !this.vector && scale > 3);
    byId("percent").textContent = `${Math.round(scale * 100)} %`;
  }

  remove() {
    this.watching.disconnect();
    this.still.remove();
  }
}
