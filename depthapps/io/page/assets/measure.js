// Measure: what is how far, how long, and how sure that is.

const OVERLAYS = { photo: 0, depth: 1, confidence: 2 };

class Measure {
  constructor(gpu, photo) {
    Object.assign(this, { gpu, photo, id: "measure", label: "Measure", hovers: true });
    this.hint = TOUCHED ? "Two taps measure a length." : "Two clicks measure a length. Enter sets a point, arrow keys move the cross.";
    this.settings = { overlay: "depth", length: "" };
    this.cursor = { x: photo.width / 2, y: photo.height / 2 };
    this.ends = [];
    const known = Float32Array.from(sampled(photo.inverse)).sort();
    this.range = [known[Math.floor(0.01 * known.length)], known[Math.floor(0.99 * (known.length - 1))]];
  }

  controls() {
    const two = this.ends.length === 2;
    return [
      { kind: "choice", name: "overlay", label: "Shown", renews: true, options: { photo: "Photo", depth: "Depth", confidence: "Confidence" } },
      ...this.legend(),
      { kind: "text", label: "Length", text: () => this.lengthText() || `${TOUCHED ? "tap" : "click"} two points` },
      ...(two ? [{ kind: "number", name: "length", label: "Known length, in metres", act: value => this.setLength(value) }] : []),
      ...(this.ends.length ? [{ kind: "button", label: "Clear", act: () => { this.ends = []; }, renews: true }] : []),
    ];
  }

  // What the colours say
  legend() {
    const [far, near] = this.range, told = inverse => this.photo.inMetres ? distanceText(this.photo, inverse) : "";
    return {
      photo: [],
      depth: [{ kind: "legend", name: "depth", from: `near ${told(near)}`, to: `${told(far)} far` }],
      confidence: [{ kind: "legend", name: "confidence", from: "unsure", to: "sure" }],
    }[this.settings.overlay];
  }

  at(x, y) { return { x, y, inverse: inverseAround(this.photo, x, y) }; }

  hover(x, y) {
    this.cursor = { x, y };
    const { inverse } = this.at(x, y), sure = this.photo.sure[Math.round(y) * this.photo.width + Math.round(x)];
    if (Number.isNaN(inverse)) return "depth unknown";
    const { inMetres, scale, sigma } = this.photo, known = inMetres && inverse > 0;
    const shown = known ? withError(scale / inverse, scale * sigma / inverse ** 2) : distanceText(this.photo, inverse);
    return `${shown} · confidence ${Math.round(100 * Math.max(sure / 17 - 1, 0) / 14)} %`;
  }

  press(x, y) {
    const end = this.at(x, y);
    if (!(end.inverse > 0)) return "The depth is unknown here.";
    this.ends = this.ends.length === 1 ? [this.ends[0], end] : [end];
    this.renews = true;
    return this.lengthText() || this.hover(x, y);
  }

  step(dx, dy) {
    const { width, height } = this.photo;
    return this.hover(clamp(this.cursor.x + dx, 0, width - 1), clamp(this.cursor.y + dy, 0, height - 1));
  }

  enter() { return this.press(this.cursor.x, this.cursor.y); }

  get measured() {
    return this.ends.length === 2 ? lengthBetween(this.photo.camera, ...this.ends, this.photo.sigma) : null;
  }

  lengthText() {
    const { measured, photo } = this;
    if (!measured) return "";
    const { length, sigma } = measured;
    if (!photo.inMetres) return `no scale, ± ${short(100 * sigma / length)} %`;
    return withError(length * photo.scale, sigma * photo.scale);
  }

  setLength(value) {
    if (!(value > 0) || !this.measured) return;
    this.photo.scale = value / this.measured.length;
    this.photo.inMetres = true;
  }

  marks(pen) {
    pen.cross(this.cursor.x, this.cursor.y);
    this.ends.forEach(end => pen.dot(end.x, end.y));
    if (this.ends.length === 2) pen.line(...this.ends, this.lengthText());
  }

  show({ box }) {
    this.gpu.pass("measure.frag", {
      ...this.photo.textures, origin: box.slice(0, 2), extent: box.slice(2), range: this.range,
      overlay: OVERLAYS[this.settings.overlay],
    }, { box });
  }

  recipe() {
    return {
      command: "depth SCENE --kind depth -o depth.npy",
      python: ["depth = opened.scene.depth_m  # (H, W), metres; NaN where unknown", 'da.write_depth("depth.npy", depth)'],
    };
  }
}
