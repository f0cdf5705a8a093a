// Refocus: click where it shall be sharp.

const TILE = 16; // pixels a side of the tiles in which the largest disc is looked up
const MOST = 20; // samples of a pass, at most 32, for which gather.frag has room
const FINE = { scale: 1, passes: 8, density: 0.8, most: MOST, small: 4.5, lamps: Infinity }; // of the still picture, made in passes
const COARSE = { scale: 0.6, passes: 1, density: 2.5, most: MOST, small: 0, lamps: 150 }; // while something moves

class Refocus {
  constructor(gpu, photo) {
    Object.assign(this, { gpu, photo, id: "refocus", label: "Refocus", hint: `${TOUCHED ? "Tap" : "Click"} what shall be sharp.` });
    const { lens } = photo;
    this.settings = { fNumber: lens.f_number, blades: lens.blades, highlights: lens.highlights };
    this.placed = Boolean(lens.focus_px); // or else the focus is a distance alone
    [this.x, this.y] = lens.focus_px || [(photo.width - 1) / 2, (photo.height - 1) / 2];
    this.given = lens.focus_inverse; // null where it is that of the pixel
    this.inverse = this.given ?? (inverseAround(photo, this.x, this.y) || median(photo.inverse));
    this.passes = new Passes();
  }

  controls() {
    const first = this.photo.lens.f_number, open = Math.max(first / 4, 0.05), closed = Math.max(first * 12, 22);
    return [
      { kind: "range", name: "fNumber", label: "Aperture", low: open, high: closed, curve: "log", text: v => `f/${v < 10 ? v.toFixed(1) : Math.round(v)}` },
      { kind: "range", name: "blades", label: "Blades", low: 2, high: 9, step: 1, text: v => v < 3 ? "round" : String(v),
        read: v => v < 3 ? 2 : v },
      { kind: "range", name: "highlights", label: "Highlights", low: 0, high: 3, step: 0.1, text: v => short(v) },
    ];
  }

  press(x, y) {
    const inverse = inverseAround(this.photo, x, y);
    if (Number.isNaN(inverse)) return "The depth is unknown here.";
    [this.x, this.y, this.inverse, this.given, this.placed] = [x, y, inverse, null, true];
    return `In focus: ${distanceText(this.photo, inverse)}.`;
  }

  drag(x, y) { return this.press(x, y); }
  step(dx, dy) { return this.press(clamp(this.x + dx, 0, this.photo.width - 1), clamp(this.y + dy, 0, this.photo.height - 1)); }

  marks(pen) { if (this.placed) pen.ring(this.x, this.y); }

  // Do a portion of the work on a picture `wide` pixels across; whether there is something new to show
  work({ wide, moving, fresh, portion }) {
    const { gpu, photo, passes } = this, how = moving ? COARSE : FINE, scale = Math.min(1, wide / photo.width) * how.scale;
    const size = [photo.width, photo.height].map(side => Math.max(1, Math.round(side * scale)));
    this.sums = gpu.target("sums", ...size, [{ format: "RGBA16F" }, { format: "RGBA16F" }, { format: "RGBA16F" }]);
    if (fresh) {
      this.prepare(size, scale);
      passes.restart(how.passes, size[1]);
    }
    const whole = passes.step(moving ? 1 : portion, (pass, ...rows) => {
      const [shown, hidden] = this.lens.textures, more = { target: this.sums, added: true, rows };
      if (!pass && !rows[0]) gpu.clear(this.sums);
      gpu.pass("gather.frag", {
        ...this.discs, shown, hidden, reach: this.reach.textures[0], tile: TILE, first: pass, ways: waysOf(pass, how), ...how,
      }, more);
      const { places, count } = photo.lamps, drawn = Math.min(count, how.lamps);
      if (drawn) gpu.pass("lamp.frag", { ...photo.textures, ...this.discs, weight: scale ** 2 * count / drawn / how.passes },
        { ...more, quads: { array: places, count: drawn, vertex: "lamp.vert" } });
    });
    return whole && 2 * passes.done >= passes.count; // fewer passes would look worse than the moving picture did
  }

  get finished() { return this.passes.finished; }

  show({ box }) {
    const { gpu, photo, sums, passes } = this, [before, behind, hiddenBehind] = sums.textures;
    gpu.pass("refocus.frag", {
      ...photo.textures, ...this.discs, before, behind, hiddenBehind, origin: box.slice(0, 2), extent: box.slice(2),
      gain: passes.count / passes.done,
    }, { box });
  }

  prepare(size, scale) {
    const { gpu, photo, settings } = this, level = Math.max(0, -Math.log2(scale)), limit = LARGEST_BLUR * size[0];
    this.discs = {
      size, limit, strength: lensStrength(photo, settings.fNumber) * scale, focus: this.inverse,
      lamp: settings.highlights * LAMP_POWER, blades: settings.blades,
    };
    this.lens = gpu.target("lens", ...size, [{ format: "RGBA16F", mips: true }, { format: "RGBA16F", mips: true }]);
    gpu.pass("lens.frag", { ...photo.textures, ...this.discs, level }, { target: this.lens });
    this.lens.textures.forEach(texture => gpu.mipmap(texture));
    const tiled = size.map(side => Math.ceil(side / TILE)), format = [{ format: "RGBA16F", nearest: true }];
    const tiles = gpu.target("tiles", ...tiled, format);
    gpu.pass("tiles.frag", { shown: this.lens.textures[0], hidden: this.lens.textures[1], tile: TILE }, { target: tiles });
    this.reach = gpu.target("reach", ...tiled, format);
    gpu.pass("reach.frag", { tiles: tiles.textures[0], tile: TILE, around: Math.ceil(limit / TILE) + 1 }, { target: this.reach });
  }

  recipe() {
    const { fNumber, blades, highlights } = this.settings, full = this.photo.fullWidth / this.photo.width;
    const at = [this.x, this.y].map(v => Math.round((v + 0.5) * full - 0.5)), f = short(fNumber);
    const far = this.given === null ? null : short(this.photo.scale / this.given);
    const options = [far === null ? `--focus ${at}` : `--focus-depth ${far}`, `--f-number ${f}`, ...(blades > 2 ? [`--blades ${blades}`] : []),
      ...(highlights !== 1 ? [`--highlights ${short(highlights)}`] : [])];
    const named = [far === null ? `focus_px=(${at.join(", ")})` : `focus_depth_m=${far}`, `f_number=${f}`, ...(blades > 2 ? [`blades=${blades}`] : []),
      ...(highlights !== 1 ? [`highlights=${short(highlights)}`] : [])];
    return {
      command: `bokeh SCENE -o refocused.jpg ${options.join(" ")}`,
      python: [`near = da.refocus(opened.scene, da.BokehParams(${named.join(", ")}))`,
        'da.write_image("refocused.jpg", near.image, opened.metadata)'],
    };
  }
}

const distanceText = (photo, inverse) =>
  inverse > 0 ? photo.inMetres ? metres(photo.scale / inverse) : "no scale" : "infinitely far";
