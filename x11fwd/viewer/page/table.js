// A table over the whole window: sorted by its headings, drawn a few hundred rows at a time.
const STEP = 300;

export class TableView {
  constructor(stage) {
    this.stage = stage;
    this.column = -1;
    this.down = false;
    this.shown = STEP;
    this.asked = "";
  }

  async update(item) {
    const source = `table/${item.key}/${item.version}`;
    if (this.asked === source) return;
    this.asked = source;
    try {
      const answer = await fetch(source);
      if (!answer.ok) throw new Error(answer.statusText);
      const data = await answer.json();
      if (this.asked !== source) return;
      this.data = data;
      this.title = item.title;
      this.draw();
    } catch {
      this.asked = "";
      if (!this.data) this.stage.textContent = "The table could not be loaded.";
    }
  }

  draw() {
    const { columns, rows, left_off: leftOff } = this.data;
    const table = document.createElement("table");
    table.createCaption().className = "unseen";
    table.caption.textContent = this.title;
    const numeric = columns.map((_, at) => rows.every((row) => typeof row[at] !== "string" && typeof row[at] !== "boolean"));
    const head = table.createTHead().insertRow();
    columns.forEach((name, at) => {
      const cell = document.createElement("th");
      cell.scope = "col";
      if (numeric[at]) cell.className = "number";
      const sorted = at === this.column;
      cell.setAttribute("aria-sort", sorted ? (this.down ? "descending" : "ascending") : "none");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = sorted ? `${name} ${this.down ? "▼" : "▲"}` : name;
      button.addEventListener("click", () => {
        this.down = sorted && !this.down;
        this.column = at;
        this.draw();
        this.stage.querySelectorAll("th button")[at]?.focus();
      });
      cell.append(button);
      head.append(cell);
    });
    const body = table.createTBody();
    for (const row of this.sorted(rows).slice(0, this.shown)) {
      const line = body.insertRow();
      columns.forEach((_, at) => {
        const cell = line.insertCell();
        cell.textContent = row[at] ?? "";
        if (numeric[at]) cell.className = "number";
      });
    }
    this.stage.replaceChildren(table);
    const left = rows.length - this.shown;
    if (left > 0) {
      const more = document.createElement("button");
      more.type = "button";
      more.textContent = `${left} more rows`;
      more.addEventListener("click", () => { this.shown *= 4; this.draw(); });
      this.stage.append(more);
    }
    if (leftOff) {
      const note = document.createElement("p");
      note.className = "more";
      note.textContent = `${leftOff} more rows are in the file and are not shown here.`;
      this.stage.append(note);
    }
  }

  sorted(rows) {
    if (this.column < 0) return rows;
    const at = this.column;
    const way = this.down ? -1 : 1;
    return rows.slice().sort((a, b) => {
      const [x, y] = [a[at], b[at]];
      if (x === y) return 0;
      if (x === null || x === undefined) return 1;
      if (y === null || y === undefined) return -1;
      if (typeof x === "number" && typeof y === "number") return (x - y) * way;
      return String(x).localeCompare(String(y), undefined, { numeric: true }) * way;
    });
  }

  remove() { this.asked = "removed"; }
}
