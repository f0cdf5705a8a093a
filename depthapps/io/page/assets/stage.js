// The stage: where the picture lies on it, what the pointer does there, marks over it, and the slider that compares.

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = 0.03; // of the stage, around the picture

// Draws marks over the picture, at pixels of the photo
class Pen {
  constructor(svg, stage) { Object.assign(this, { svg, stage }); }
  clear() { this.svg.replaceChildren(); }

  shape(name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text) made.textContent = text;
    this.svg.append(made);
    return made;
  }

  twice(name, attributes) { // dark under light, so that it shows on any picture
    this.shape(name, { ...attributes, class: "under" });
    this.shape(name, { ...attributes, class: "over" });
  }

  ring(x, y) {
    const [cx, cy] = this.stage.cssOf(x, y);
    this.twice("circle", { cx, cy, r: 17 });
    this.shape("circle", { cx, cy, r: 2.5, class: "spot" });
  }

  circle(x, y, radius) {
    const [cx, cy] = this.stage.cssOf(x, y);
    this.shape("circle", { cx, cy, r: radius * this.stage.cssScale, class: "guide" });
  }

  cross(x, y) {
    const [a, b] = this.stage.cssOf(x, y);
    this.twice("path", { d: `M${a - 9} ${b}h6m6 0h6M${a} ${b - 9}v6m0 6v6` });
  }

  dot(x, y) {
    const [cx, cy] = this.stage.cssOf(x, y);
    this.shape("circle", { cx, cy, r: 5, class: "end" });
  }

  line(from, to, text) {
    const [x1, y1] = this.stage.cssOf(from.x, from.y), [x2, y2] = this.stage.cssOf(to.x, to.y);
    this.twice("line", { x1, y1, x2, y2 });
    this.shape("text", { x: (x1 + x2) / 2, y: Math.min(y1, y2) - 14, class: "label" }, text);
  }

  lamp(x, y, color, kind) {
    const [cx, cy] = this.stage.cssOf(x, y), rays = [...Array(8).keys()].map(k => {
      const [c, s] = [Math.cos(k * Math.PI / 4), Math.sin(k * Math.PI / 4)];
      return `M${cx + 15 * c} ${cy + 15 * s}l${6 * c} ${6 * s}`;
    });
    if (kind === "sun") this.twice("path", { d: rays.join("") }); else this.twice("circle", { cx, cy, r: 17 });
    this.shape("circle", { cx, cy, r: 12.5, class: "shade" });
    this.shape("circle", { cx, cy, r: 10, class: "lamp", fill: color });
  }
}

class Stage {
  constructor(root, view) {
    this.view = view;
    this.root = root;
    for (const id of ["canvas", "still", "marks", "divider", "reading"]) this[id] = root.querySelector(`#${id}`);
    this.pen = new Pen(this.marks, this);
    this.split = 0.5;
    this.comparing = false;
    this.layOut();
  }

  // The picture's box on the stage in CSS pixels: as large as fits
  layOut() {
    const { clientWidth, clientHeight } = this.root, { width, height } = this.view;
    const margin = MARGIN * Math.min(clientWidth, clientHeight);
    this.cssScale = Math.min((clientWidth - 2 * margin) / width, (clientHeight - 2 * margin) / height);
    const [wide, high] = [width * this.cssScale, height * this.cssScale];
    this.css = [Math.round((clientWidth - wide) / 2), Math.round((clientHeight - high) / 2), wide, high];
    const [left, top] = this.css;
    Object.assign(this.still.style, { left: `${left}px`, top: `${top}px`, width: `${wide}px`, height: `${high}px` });
    this.divide(this.split);
  }

  // Pixels of the canvas for each of CSS, if it has `share` of those of the screen
  ratioAt(share) { return Math.min(devicePixelRatio || 1, 2) * share; }
  widthAt(share) { return Math.max(1, Math.round(this.css[2] * this.ratioAt(share))); } // of the picture

  resize(share) {
    const { canvas, root } = this;
    const [width, height] = [root.clientWidth, root.clientHeight].map(side => Math.max(1, Math.round(side * this.ratioAt(share))));
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  }

  // The picture's box on the canvas, from its bottom left, as WebGL counts
  get box() {
    const ratio = this.canvas.width / this.root.clientWidth, [left, top, wide, high] = this.css.map(v => v * ratio);
    return [left, this.canvas.height - top - high, wide, high].map(Math.round);
  }

  cssOf(x, y) { return [this.css[0] + (x + 0.5) * this.cssScale, this.css[1] + (y + 0.5) * this.cssScale]; }

  placeOf(event) {
    const frame = this.root.getBoundingClientRect();
    return [(event.clientX - frame.left - this.css[0]) / this.cssScale - 0.5, (event.clientY - frame.top - this.css[1]) / this.cssScale - 0.5];
  }

  inside([x, y]) { return x >= -0.5 && y >= -0.5 && x < this.view.width - 0.5 && y < this.view.height - 0.5; }

  within([x, y]) { return [clamp(x, 0, this.view.width - 1), clamp(y, 0, this.view.height - 1)]; }

  say(text) {
    this.reading.hidden = !text;
    if (this.reading.textContent !== text) this.reading.textContent = text;
  }

  compare(wanted) {
    this.comparing = wanted;
    this.divider.hidden = !wanted;
    this.divide(this.split);
  }

  divide(share) {
    this.split = clamp(share, 0, 1);
    const [left, top, wide, high] = this.css, percent = Math.round(100 * this.split);
    this.still.style.clipPath = document.body.dataset.state === "ready" ? `inset(0 ${100 - 100 * this.split}% 0 0)` : "";
    this.still.hidden = document.body.dataset.state === "ready" && !this.comparing;
    Object.assign(this.divider.style, { left: `${left + this.split * wide}px`, top: `${top}px`, height: `${high}px` });
    this.divider.setAttribute("aria-valuenow", percent);
  }

  // Tell a listener of what the pointer does: press, drag, release, hover, move with two fingers, wheel
  listen(to) {
    const { canvas, divider } = this, held = new Map();
    const spread = () => {
      const [a, b] = [...held.values()];
      return { apart: Math.hypot(a.x - b.x, a.y - b.y), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
    };
    canvas.addEventListener("pointerdown", event => {
      canvas.setPointerCapture(event.pointerId);
      held.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (held.size === 1) to.press(this.placeOf(event), event);
    });
    canvas.addEventListener("pointermove", event => {
      const last = held.get(event.pointerId);
      if (!last) { to.hover(this.placeOf(event), event); return; }
      const before = held.size === 2 && spread();
      const [dx, dy] = [event.clientX - last.x, event.clientY - last.y];
      held.set(event.pointerId, { x: event.clientX, y: event.clientY });
      if (before) {
        const after = spread();
        to.pinch(before.apart / Math.max(after.apart, 1), after.x - before.x, after.y - before.y);
      } else if (held.size === 1) to.drag(this.placeOf(event), dx, dy, event);
    });
    for (const kind of ["pointerup", "pointercancel"])
      canvas.addEventListener(kind, event => held.delete(event.pointerId));
    canvas.addEventListener("contextmenu", event => event.preventDefault());
    canvas.addEventListener("wheel", event => { event.preventDefault(); to.wheel(event.deltaY); }, { passive: false });
    divider.addEventListener("pointerdown", event => divider.setPointerCapture(event.pointerId));
    divider.addEventListener("pointermove", event => {
      if (divider.hasPointerCapture(event.pointerId)) this.divide((this.placeOf(event)[0] + 0.5) / this.view.width);
    });
    divider.addEventListener("keydown", event => {
      const by = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 }[event.key];
      if (by) { event.preventDefault(); event.stopPropagation(); this.divide(this.split + by); }
    });
  }
}
