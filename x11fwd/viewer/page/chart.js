// A chart that grows: asks for as many points as it has pixels, and draws them by plotly, loaded with the first one.
let library = null;
export function plotly() {
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = "plotly.js";
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => { library = null; reject(new Error("plotly.js")); };
    document.head.append(script);
  });
  return library;
}

// Okabe and Ito's colours, told apart by people who see fewer; the first two changed places for white paper.
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#7570b3", "#999999"];
const DASHES = ["solid", "dash", "dot", "dashdot"];
const FASTEST = 40; // ms between two drawings

export class ChartView {
  constructor(place, item, large = false) {
    this.key = item.key;
    this.large = large;
    this.log = item.log;
    this.smooth = 0;
    this.range = null;
    this.drawnVersion = 0;
    this.busy = false;
    this.again = false;
    this.visible = true;
    this.removed = false;
    this.element = document.createElement("div");
    this.element.className = "plot";
    this.drawing = document.createElement("div");
    this.drawing.className = "drawing";
    this.drawing.setAttribute("role", "img");
    this.element.append(this.drawing, this.hands());
    place.replaceChildren(this.element);
    this.seen = new IntersectionObserver((entries) => {
      this.visible = entries.at(-1).isIntersecting;
      if (this.visible) this.soon();
    }, { rootMargin: "200px" });
    this.seen.observe(this.element);
    this.sized = new ResizeObserver(() => { this.drawnVersion = 0; this.soon(); });
    this.sized.observe(this.drawing);
    this.recolour = () => { this.data && this.draw(); };
    document.addEventListener("colours", this.recolour);
    this.back = () => this.soon();
    document.addEventListener("back", this.back);
  }

  hands() {
    const row = document.createElement("div");
    row.className = "hands";
    const log = document.createElement("input");
    log.type = "checkbox";
    log.checked = this.log;
    log.addEventListener("change", () => { this.log = log.checked; this.draw(); });
    const smooth = document.createElement("input");
    smooth.type = "range";
    Object.assign(smooth, { min: "0", max: "0.99", step: "0.01", value: "0" });
    smooth.addEventListener("input", () => { this.smooth = Number(smooth.value); this.draw(); });
    this.words = document.createElement("span");
    this.words.className = "words";
    row.append(labelled("log scale", log), labelled("smoothing", smooth), this.words);
    return row;
  }

  update(item) {
    this.item = item;
    this.soon();
  }

  soon() {
    if (this.removed || !this.visible || !this.item || this.drawnVersion >= this.item.version) return;
    if (this.busy) { this.again = true; return; }
    this.busy = true;
    this.load();
  }

  async load() {
    let began = performance.now();
    try {
      const Plotly = await plotly();
      began = performance.now();
      const width = Math.round((this.drawing.clientWidth || 600) * Math.min(devicePixelRatio, 2));
      let source = `chart/${this.key}?width=${width}`;
      if (this.range) source += `&from=${this.range[0]}&to=${this.range[1]}`;
      const answer = await fetch(source);
      if (!answer.ok) throw new Error(answer.statusText);
      this.data = await answer.json();
      this.drawnVersion = this.data.version;
      this.Plotly = Plotly;
      if (!this.removed) await this.draw();
    } catch {
      if (!this.data) this.words.textContent = "cannot be drawn now";
    }
    // About half of the time is left for everything else, but a slow moment does not slow the next ones.
    const pause = Math.min(500, Math.max(FASTEST, performance.now() - began));
    setTimeout(() => {
      this.busy = false;
      if (this.again) { this.again = false; this.soon(); }
    }, pause);
  }

  traces() {
    const time = this.item.x_kind === "time";
    const place = (x) => (time ? new Date(x * 1000 - new Date(x * 1000).getTimezoneOffset() * 60000).toISOString() : x);
    const traces = [];
    let top = false;
    this.data.lines.forEach((line, at) => {
      const colour = COLOURS[at % COLOURS.length];
      const dash = DASHES[Math.floor(at / COLOURS.length) % DASHES.length];
      const x = time ? line.x.map(place) : line.x;
      const few = line.x.length < 40;
      const base = { type: "scatter", x, name: line.name, legendgroup: line.name, connectgaps: false };
      if (this.smooth) {
        traces.push({ ...base, y: line.y, mode: "lines", opacity: 0.25, line: { color: colour, width: 1 }, hoverinfo: "skip", showlegend: false });
      }
      traces.push({
        ...base, y: this.smooth ? smoothed(line.y, this.smooth) : line.y, mode: few ? "lines+markers" : "lines",
        line: { color: colour, width: 1.8, dash }, marker: { size: 5 }, hovertemplate: "%{y:.6g}",
      });
      if (line.gaps.length) {
        top = true;
        traces.push({
          type: "scatter", mode: "markers", x: time ? line.gaps.map(place) : line.gaps, y: line.gaps.map(() => 0.03), yaxis: "y2",
          marker: { symbol: "x", size: 9, color: colour, line: { width: 1, color: colour } }, name: `${line.name}: not a number`,
          legendgroup: line.name, showlegend: false, hovertemplate: "not a number",
        });
      }
    });
    return [traces, top];
  }

  async draw() {
    if (!this.Plotly || this.removed) return;
    const style = getComputedStyle(document.documentElement);
    const [ink, soft, line, card] = ["--ink", "--soft", "--line", "--card"].map((name) => style.getPropertyValue(name).trim());
    const [traces, marks] = this.traces();
    const axis = { gridcolor: line, linecolor: soft, zerolinecolor: line, tickcolor: soft, automargin: true };
    const layout = {
      uirevision: `${this.key}`, autosize: true, margin: { l: 46, r: 14, t: 10, b: 36 }, hovermode: "x unified", dragmode: "zoom",
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", font: { color: ink, family: "system-ui, sans-serif", size: 12 },
      hoverlabel: { bgcolor: card, bordercolor: line, font: { color: ink } },
      // one line alone is named where the title does not: whose accuracy is it?
      showlegend: this.data.lines.length > 1 || this.data.lines.some((one) => one.name.toLowerCase() !== this.item.title.toLowerCase()),
      legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      xaxis: { ...axis, title: { text: safe(this.item.x_label) }, type: this.item.x_kind === "time" ? "date" : "linear" },
      yaxis: { ...axis, title: { text: safe(this.item.y_label) }, type: this.log ? "log" : "linear", uirevision: `${this.log}`, exponentformat: "power" },
    };
    if (marks) layout.yaxis2 = { overlaying: "y", range: [0, 1], fixedrange: true, visible: false };
    for (const trace of traces) trace.name = safe(trace.name);
    const known = Boolean(this.drawing.querySelector(".main-svg"));
    await this.Plotly.react(this.drawing, traces, layout, { displayModeBar: false, responsive: false, doubleClick: "reset", showTips: false });
    if (!known) this.drawing.on("plotly_relayout", (change) => this.moved(change));
    this.say();
    this.drawing.dispatchEvent(new CustomEvent("drawn", { detail: this.drawnVersion, bubbles: true }));
  }

  // The person zoomed: ask for the points of that stretch.
  moved(change) {
    if (change["xaxis.autorange"]) this.range = null;
    else if ("xaxis.range[0]" in change) {
      const seconds = (text) => (this.item.x_kind === "time" ? new Date(String(text).replace(" ", "T")).getTime() / 1000 : Number(text));
      const range = [seconds(change["xaxis.range[0]"]), seconds(change["xaxis.range[1]"])];
      if (!range.every(Number.isFinite)) return;
      this.range = range;
    } else return;
    this.drawnVersion = 0;
    this.soon();
  }

  say() {
    const count = this.data.lines.reduce((sum, line) => sum + line.count, 0);
    const gaps = this.data.lines.reduce((sum, line) => sum + line.nan, 0);
    const last = this.data.lines.map((line) => `${line.name} ${short(line.y.findLast((y) => y !== null))}`);
    this.words.textContent = `${count.toLocaleString("en")} points${gaps ? `, ${gaps.toLocaleString("en")} not a number` : ""}`;
    this.drawing.setAttribute("aria-label", `${this.item.title}, ${this.words.textContent}. Last: ${last.slice(0, 12).join(", ")}`);
  }

  // A picture of it as it is drawn now, on the colour of the page.
  async picture() {
    const ground = getComputedStyle(document.documentElement).getPropertyValue("--card").trim();
    const layout = { ...this.drawing.layout, paper_bgcolor: ground, title: { text: safe(this.item.title) }, margin: { l: 60, r: 20, t: 60, b: 50 } };
    return this.Plotly.toImage({ data: this.drawing.data, layout }, { format: "png", width: 1200, height: 750, scale: 2 });
  }

  remove() {
    this.removed = true;
    this.seen.disconnect();
    this.sized.disconnect();
    document.removeEventListener("colours", this.recolour);
    document.removeEventListener("back", this.back);
    if (this.Plotly) this.Plotly.purge(this.drawing);
    this.element.remove();
  }
}

function labelled(text, input) {
  const label = document.createElement("label");
  label.append(text, input);
  return label;
}

// Plotly reads a few HTML tags in texts; a name from a log is not meant so.
function safe(text) {
  return String(text ?? "").replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").slice(0, 200);
}

const short = (value) => (value === undefined ? "none" : Number(value.toPrecision(4)).toString());

// The running mean that weighs older points by `weight`, without its slow start (as Adam's moments are corrected).
function smoothed(values, weight) {
  let mean = 0;
  let share = 0;
  return values.map((value) => {
    if (value === null) return null;
    mean = weight * mean + (1 - weight) * value;
    share = weight * share + (1 - weight);
    return mean / share;
  });
}
