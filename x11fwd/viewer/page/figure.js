// The numbers of a figure, drawn anew so that one can zoom into them. The program has checked what comes.
import { plotly } from "./chart.js";
import { address, words } from "./tiles.js";

const AXIS = /^[xy]axis\d*$/;
const HINT = "Drag or turn the wheel to zoom in, shift and drag to move, double click for all of it.";

export class FigureView {
  constructor(stage) {
    this.element = document.createElement("div");
    this.element.className = "numbers";
    this.drawing = document.createElement("div");
    this.drawing.className = "drawing";
    this.drawing.setAttribute("role", "img");
    this.room = document.createElement("div");
    this.room.className = "room";
    this.room.append(this.drawing);
    this.words = document.createElement("p");
    this.words.className = "words";
    this.element.append(this.room, this.words);
    stage.append(this.element);
    this.removed = false;
    this.shown = "";
    this.sized = new ResizeObserver(() => { if (this.figure) this.draw(); });
    this.sized.observe(this.room);
    document.getElementById("percent").textContent = "all";
  }

  update(item) {
    this.item = item;
    this.drawing.setAttribute("aria-label", words(item.title, item.text));
    const source = address(item, "figure");
    if (source === this.shown) return;
    this.shown = source;
    this.load(source);
  }

  async load(source) {
    try {
      const [Plotly, answer] = await Promise.all([plotly(), fetch(source)]);
      if (!answer.ok) throw new Error(answer.statusText);
      const figure = await answer.json();
      if (this.removed || this.shown !== source) return;
      [this.Plotly, this.figure] = [Plotly, figure];
      const left = figure.missing.length ? ` Not in it: ${figure.missing.join(", ").slice(0, 300)}; the picture has all.` : "";
      this.words.textContent = `${HINT}${figure.thinned ? " Of very many points some are left out." : ""}${left}`;
      await this.draw();
    } catch {
      if (!this.removed) this.words.textContent = "The data cannot be drawn now; the picture can be seen by “Data”.";
    }
  }

  async draw() {
    let { clientWidth: width, clientHeight: height } = this.room;
    if (this.removed || !width || !height) return;
    if (Object.values(this.figure.layout).some((one) => one?.scaleanchor)) { // as wide to as high as it was made
      const fits = Math.min(width / this.figure.width, height / this.figure.height);
      [width, height] = [this.figure.width * fits, this.figure.height * fits];
    }
    [this.drawing.style.width, this.drawing.style.height] = [`${width}px`, `${height}px`];
    const scale = Math.min(1, width / this.figure.width, height / this.figure.height);
    // plotly writes into what it is given
    const { data, layout } = scaled(structuredClone({ data: this.figure.data, layout: this.figure.layout }), Math.max(0.5, scale));
    this.whole = {};
    for (const name of Object.keys(layout).filter((one) => AXIS.test(one))) this.whole[`${name}.range`] = [...layout[name].range];
    Object.assign(layout, {
      width, height, margin: { l: 0, r: 0, t: 0, b: 0 }, dragmode: "zoom", hovermode: "closest", uirevision: "kept",
      font: { family: "system-ui, sans-serif", color: "#000" }, hoverlabel: { font: { size: 13 } },
    });
    await this.Plotly.react(this.drawing, data, layout, { displayModeBar: false, scrollZoom: true, doubleClick: "reset", showTips: false });
    if (!this.removed) this.drawing.dispatchEvent(new CustomEvent("drawn", { bubbles: true }));
  }

  axes() {
    const all = this.drawing._fullLayout;
    return all ? Object.keys(all).filter((one) => AXIS.test(one) && !all[one].matches && !all[one].overlaying).map((one) => [one, all[one]]) : [];
  }

  // Every axis by what `change` makes of its two ends, in numbers that grow evenly along it.
  reach(change) {
    const moved = {};
    for (const [name, axis] of this.axes()) {
      const ends = change(axis.r2l(axis.range[0]), axis.r2l(axis.range[1]), name[0] === "x", axis._length || 1);
      moved[`${name}.range`] = ends.map((end) => axis.l2r(end));
    }
    if (this.Plotly) this.Plotly.relayout(this.drawing, moved);
  }

  zoom(by) { this.reach((low, high) => [(low + high) / 2 - (high - low) / 2 / by, (low + high) / 2 + (high - low) / 2 / by]); }

  move(x, y) { this.reach((low, high, lying, length) => [low, high].map((end) => end - (lying ? x : -y) * (high - low) / length)); }

  zoomed() { return this.axes().some(([name, axis]) => String(axis.range) !== String(this.whole[`${name}.range`])); }

  fit() { if (this.Plotly) this.Plotly.relayout(this.drawing, this.whole); }

  file(item) { return [address(item), `${(item.title || "item").replace(/[^\p{L}\p{N}._-]+/gu, "_").slice(0, 100)}.${item.format}`]; }

  remove() {
    this.removed = true;
    this.sized.disconnect();
    if (this.Plotly) this.Plotly.purge(this.drawing);
    this.element.remove();
  }
}

// Texts, markers and lines smaller on a small window; `width` of a bar is data and stays.
function scaled(node, by, name = "") {
  if (!node || typeof node !== "object") return node;
  for (const [key, value] of Object.entries(node)) {
    const size = key === "size" || (key === "width" && name === "line");
    if (size && typeof value === "number") node[key] = value * by;
    else if (size && Array.isArray(value)) node[key] = value.map((one) => one * by);
    else if (!["x", "y", "z"].includes(key)) scaled(value, by, Array.isArray(node) ? name : key);
  }
  return node;
}
