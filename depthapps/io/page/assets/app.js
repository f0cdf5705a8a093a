// The page: its modes, its keys, and frames that keep up with the hand.

const ICONS = {
  refocus: '<circle cx="12" cy="12" r="9"/><path d="m12 3 4.5 8M20.5 9 12 9.500M19 17.500 14.500 10M12 21l-4.500-8M3.500 15l8.500-.5M5 6.500 9.500 14"/>',
  relight: '<circle cx="12" cy="12" r="4"/><path d="M12 3v2m0 14v2M3 12h2m14 0h2M5.600 5.600 7 7m10 10 1.400 1.400M5.600 18.400 7 17M17 7l1.400-1.400"/>',
  turn: '<path d="m12 3 8 4.500v9L12 21l-8-4.500v-9zM4 7.500l8 4.500 8-4.500M12 12v9"/>',
  measure: '<path d="m3 15 12-12 6 6-12 12zM6.500 11.500l2 2m1-5 2 2m1-5 2 2"/>',
};
const SETTLED_MS = 200; // after the last change, the picture is made at its full quality

class Page {
  constructor(data) {
    Object.assign(this, { data, paces: {}, changedAt: -1e9, drawnAt: 0, fresh: true, frames: 0 });
    this.stage = new Stage(document.querySelector("#stage"), data.photo || data.model);
  }

  async start() {
    const { stage, data } = this;
    this.gpu = new Gpu(stage.canvas);
    if (data.photo) {
      const photo = this.photo = await loadPhoto(data.photo, stage.still, this.gpu), { gpu } = this;
      const turn = new Turn(gpu, new PhotoShape(gpu, photo), photo, data.style);
      this.modes = [new Refocus(gpu, photo), new Relight(gpu, photo), turn, new Measure(gpu, photo)];
    } else {
      const { model } = data, texture = model.texture && this.gpu.picture(await pictureOf(model.texture));
      this.modes = [new Turn(this.gpu, new ModelShape(this.gpu, model, texture), model, data.style)];
      for (const id of ["compare", "modes"]) document.getElementById(id).hidden = true;
    }
    document.body.dataset.state = "ready";
    this.buildModes();
    this.listen();
    this.open(this.opening() || data.mode);
    this.draw(performance.now());
    document.body.dataset.readyMs = Math.round(performance.now());
  }

  // What the address asks for behind its #: a mode, and for `turn=yaw,pitch` degrees to the right and from above
  opening() {
    const [name, numbers = ""] = location.hash.slice(1).split("="), mode = this.modes.find(each => each.id === name);
    const [yaw = 0, pitch = 0] = numbers.split(",").map(v => Number(v) * Math.PI / 180 || 0);
    if (mode && mode.orbits && (yaw || pitch)) { mode.turnBy(-yaw, pitch); mode.orbit.follow(1); }
    return mode && mode.id;
  }

  buildModes() {
    const tabs = this.modes.map(({ id, label }, k) => {
      const tab = element("button", { role: "tab", id: `mode-${id}`, "aria-controls": "controls", title: `${label} (${k + 1})`, onclick: () => this.open(id) });
      tab.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true">${ICONS[id]}</svg>`;
      tab.append(label);
      return tab;
    });
    document.querySelector("#modes").replaceChildren(...tabs);
  }

  open(id) {
    this.mode = this.modes.find(mode => mode.id === id) || this.modes[0];
    document.body.dataset.mode = this.mode.id;
    for (const { id: each } of this.modes) {
      const tab = document.getElementById(`mode-${each}`), chosen = each === this.mode.id;
      tab.setAttribute("aria-selected", chosen);
      tab.tabIndex = chosen ? 0 : -1;
    }
    document.querySelector("#controls").setAttribute("aria-labelledby", `mode-${this.mode.id}`);
    this.stage.canvas.setAttribute("aria-label", `${this.mode.label}: ${this.data.title || "the scene"}`);
    this.stage.say("");
    this.renew();
    this.changed();
  }

  renew() {
    document.querySelector("#hint").textContent = this.mode.hint;
    document.querySelector("#controls").replaceChildren(...buildControls(this.mode, (name, renews) => {
      if (this.mode.changed) this.mode.changed(name);
      if (renews) this.renew();
      this.changed();
    }));
  }

  // Something changed: draw soon, and finely when the hand rests
  changed(text) {
    if (text !== undefined) this.stage.say(text || "");
    if (this.mode.renews) { this.mode.renews = false; this.renew(); }
    this.changedAt = performance.now();
    this.fresh = true;
    document.body.dataset.quality = "coarse";
    this.request();
  }

  request() {
    if (!this.requested) this.requested = requestAnimationFrame(now => { this.requested = 0; this.draw(now); });
  }

  // Draw a frame of a movement, or the next portion of the still picture, when the GPU has done the last one
  draw(now) {
    const { mode, stage, gpu } = this, pace = this.paces[mode.id] ||= new Pace(gpu.software), took = gpu.finished();
    if (took === 0) { this.request(); return; }
    if (took > 0) this.ended(took);
    const animated = mode.animate ? mode.animate(Math.min(now - this.drawnAt, 1000)) : false;
    this.drawnAt = now;
    const moving = animated || performance.now() - this.changedAt < SETTLED_MS;
    const fresh = this.fresh || animated || this.moved !== moving, share = moving ? pace.share : 1;
    this.moved = moving;
    this.fresh = false;
    if (fresh || !moving && mode.work && !mode.finished) {
      if (!mode.work || mode.work({ wide: stage.widthAt(share), moving, fresh, portion: pace.portion })) this.show(share, moving, pace);
      this.ended = moving ? ms => pace.moved(ms) : ms => pace.rested(ms);
      gpu.mark();
    }
    const fine = !moving && !(mode.work && !mode.finished);
    document.body.dataset.quality = fine ? "fine" : "coarse";
    if (!fine || gpu.fence) this.request();
  }

  show(share, moving, pace) {
    const { mode, stage } = this;
    stage.resize(share);
    mode.show({
      canvas: [stage.canvas.width, stage.canvas.height], box: stage.box, clear: this.ground,
      slowness: moving ? pace.slowness : this.gpu.software ? 1 : 0,
    });
    if (!mode.orbits) this.paintAround();
    stage.pen.clear();
    mode.marks(stage.pen);
    this.frames++;
  }

  // The stage around the picture, in its own colour
  paintAround() {
    const { gl } = this.gpu, [x, y, wide, high] = this.stage.box, { width, height } = this.stage.canvas;
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.enable(gl.SCISSOR_TEST);
    gl.clearColor(...this.ground, 1);
    for (const part of [[0, 0, x, height], [x + wide, 0, width, height], [x, 0, wide, y], [x, y + high, wide, height]]) {
      gl.scissor(...part);
      gl.clear(gl.COLOR_BUFFER_BIT);
    }
    gl.disable(gl.SCISSOR_TEST);
  }

  get ground() {
    return getComputedStyle(this.stage.root).backgroundColor.match(/[\d.]+/g).slice(0, 3).map(v => v / 255);
  }

  listen() {
    const { stage } = this;
    stage.listen(this);
    new ResizeObserver(() => { stage.layOut(); this.changed(); }).observe(stage.root);
    addEventListener("pointermove", event => {
      if (event.pointerType !== "touch") this.lean(2 * event.clientX / innerWidth - 1, 2 * event.clientY / innerHeight - 1);
    });
    listenToTilt((right, down) => this.lean(right, down));
    addEventListener("keydown", event => this.key(event));
    matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => this.changed());
    document.querySelector("#compare").addEventListener("click", () => this.toggleCompare());
    document.querySelector("#theme").addEventListener("click", () => this.toggleTheme());
    document.querySelector("#take").addEventListener("click", () => this.takeAway());
    document.querySelector("#save").addEventListener("click", () => this.save());
    document.querySelector("#modes").addEventListener("keydown", event => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key], count = this.modes.length;
      if (!by) return;
      event.preventDefault();
      event.stopPropagation();
      this.open(this.modes[(this.modes.indexOf(this.mode) + by + count) % count].id);
      document.getElementById(`mode-${this.mode.id}`).focus();
    });
  }

  lean(right, down) { if (this.mode.lean && this.mode.lean(right, down)) this.request(); }

  press(place, event) {
    if (this.mode.orbits || !this.stage.inside(place) && this.mode.id !== "relight") return;
    if (event.button === 0) this.changed(this.mode.press(...place));
  }

  drag(place, dx, dy, event) {
    const { mode, stage } = this, across = stage.css[2];
    if (mode.orbits) {
      if (event.buttons & 2 || event.shiftKey) mode.moveBy(dx / across, dy / across);
      else mode.turnBy(3 * dx / across, 3 * dy / across);
      this.changed();
    } else if (mode.drag) this.changed(mode.drag(...(mode.id === "relight" ? place : stage.within(place))));
  }

  hover(place) {
    if (this.mode.hovers && this.stage.inside(place)) {
      this.stage.say(this.mode.hover(...this.stage.within(place)));
      this.stage.pen.clear();
      this.mode.marks(this.stage.pen);
    }
  }

  pinch(factor, dx, dy) {
    if (!this.mode.orbits) return;
    this.mode.zoomBy(factor);
    this.mode.moveBy(dx / this.stage.css[2], dy / this.stage.css[2]);
    this.changed();
  }

  wheel(turn) {
    if (this.mode.orbits) this.mode.zoomBy(Math.exp(turn / 900));
    else if (this.mode.wheel) { this.mode.wheel(turn); this.renew(); }
    else return;
    this.changed();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea") || document.querySelector("dialog[open]")) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key, step = this.stage.view.width * (event.shiftKey ? 0.05 : 0.01);
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
    const keys = { c: () => this.toggleCompare(), s: () => this.takeAway(), ...(this.mode.keys ? this.mode.keys() : {}) };
    if (this.mode.enter) keys.Enter = () => this.mode.enter();
    if (way && event.target === this.stage.canvas) { event.preventDefault(); this.changed(this.mode.step(...times(way, step))); }
    else if (this.modes[Number(key) - 1]) this.open(this.modes[Number(key) - 1].id);
    else if (key === "+" || key === "-") this.wheel(key === "+" ? -120 : 120);
    else if (keys[key] && (key !== "Enter" || event.target === this.stage.canvas)) {
      const said = keys[key]();
      if (this.mode.orbits) this.renew();
      this.changed(typeof said === "string" ? said : undefined);
    }
  }

  toggleCompare() {
    if (!this.photo) return;
    this.stage.compare(!this.stage.comparing);
    document.querySelector("#compare").setAttribute("aria-pressed", this.stage.comparing);
  }

  toggleTheme() {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches, root = document.documentElement;
    root.dataset.theme = (root.dataset.theme || (dark ? "dark" : "light")) === "dark" ? "light" : "dark";
    this.changed();
  }

  takeAway() {
    const texts = recipeTexts(this.data.recipe, this.photo, this.mode.recipe());
    const parts = Object.entries({ command: "On the command line", python: "In Python" }).filter(([name]) => texts[name]).map(([name, label]) => {
      const copy = element("button", { "aria-label": `copy: ${label}`, onclick: () => this.copy(texts[name], copy) }, "Copy");
      return element("div", { class: "recipe" }, element("h3", {}, label), copy, element("pre", { tabindex: 0 }, texts[name]));
    });
    const { width, height, fullWidth = width } = this.stage.view, sizes = [[width, height], [fullWidth, Math.round(fullWidth * height / width)]];
    const [here, whole] = sizes.map(size => size.join(" × "));
    if (fullWidth > width) parts.unshift(element("p", {}, `This page holds the photo at ${here} of ${whole} pixels, and saves it so.`));
    if (this.photo && this.photo.scale !== 1 && !texts.command && !texts.python)
      parts.push(element("p", {}, "The known length scales this page alone, not the depth that commands are given."));
    document.querySelector("#recipes").replaceChildren(...parts);
    document.querySelector("#away").showModal();
  }

  async copy(text, button) {
    try {
      await navigator.clipboard.writeText(text);
    } catch { // pages from disk may not, in some browsers
      const area = element("textarea", {}, text);
      button.after(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    button.textContent = "Copied";
  }

  // The current view as a PNG of the photo's own size, at full quality
  async save() {
    const blob = await new Promise(done => this.render().toBlob(done, "image/png"));
    const link = element("a", { href: URL.createObjectURL(blob), download: `${this.data.title || "page"}_${this.mode.id}.png` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    this.changed();
  }

  render() {
    const { canvas, view: { width, height } } = this.stage;
    [canvas.width, canvas.height] = [width, height];
    const { mode } = this;
    for (let fresh = true; mode.work && (fresh || !mode.finished); fresh = false)
      mode.work({ wide: width, moving: false, fresh, portion: 1 });
    mode.show({ canvas: [width, height], box: [0, 0, width, height], slowness: 0, clear: this.ground });
    this.fresh = true;
    return canvas;
  }
}

const page = new Page(JSON.parse(document.getElementById("data").textContent));
page.start().catch(error => {
  const sorry = document.querySelector("#sorry");
  sorry.textContent = `This is the photo only: ${error.message}.`;
  sorry.hidden = false;
  document.body.dataset.state = "still";
  document.body.dataset.error = error.message;
});
