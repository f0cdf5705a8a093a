// Refocus: click where it shall be sharp.

const TILE = 16; // pixels a side of the tiles in which the largest disc is looked up
const PASSES = 12, SAMPLES = 32, SLOW_SAMPLES = 18; // of the still picture, which gets finer in so many frames
const MOVING_SAMPLES = 40, MOVING_SHARE = 0.6; // while something moves: fewer samples of fewer pixels

class Refocus {
  constructor(gpu, photo) {
    Object.assign(this, { gpu, photo, id: "refocus", label: "Refocus", hint: "Click or tap what shall be sharp." });
    this.settings = { fNumber: photo.fNumber, blades: 0, highlights: 1 };
    [this.x, this.y] = photo.focus;
    this.inverse = inverseAround(photo, this.x, this.y) || median(photo.inverse);
  }

  controls() {
    const first = this.photo.fNumber, open = Math.max(first / 4, 0.05), closed = Math.max(first * 12, 22);
    return [
      { kind: "range", name: "fNumber", label: "Aperture", low: open, high: closed, curve: "log", text: v => `f/${short(v)}` },
      { kind: "range", name: "blades", label: "Blades", low: 2, high: 9, step: 1, text: v => v < 3 ? "round" : String(v),
        read: v => v < 3 ? 2 : v },
      { kind: "range", name: "highlights", label: "Highlights", low: 0, high: 3, step: 0.1, text: v => short(v) },
    ];
  }

  press(x, y) {
    const inverse = inverseAround(this.photo, x, y);
    if (Number.isNaN(inverse)) return "The depth is unknown here.";
    [this.x, this.y, this.inverse] = [x, y, inverse];
    return `In focus: ${distanceText(this.photo, inverse)}.`;
  }

  drag(x, y) { return this.press(x, y); }
  step(dx, dy) { return this.press(clamp(this.x + dx, 0, this.photo.width - 1), clamp(this.y + dy, 0, this.photo.height - 1)); }

  marks(pen) { pen.ring(this.x, this.y); }

  // Draw into the box of the canvas; true if a further call would make it finer.
  draw({ box, moving, fresh }) {
    const { gpu, photo, settings } = this, { textures } = photo;
    const share = Math.min(1, box[2] / photo.width) * (moving ? MOVING_SHARE : 1);
    const size = [Math.round(photo.width * share), Math.round(photo.height * share)];
    const passes = moving ? 1 : PASSES, total = moving ? MOVING_SAMPLES : PASSES * (gpu.software ? SLOW_SAMPLES : SAMPLES);
    const strength = lensStrength(photo, settings.fNumber) * share, limit = LARGEST_BLUR * size[0];
    const sums = gpu.target("sums", ...size, [{ format: "RGBA16F" }, { format: "RGBA16F" }, { format: "RGBA16F" }]);
    if (fresh || moving) {
      this.prepare(size, strength, limit, share);
      gpu.clear(sums);
      this.done = 0;
    }
    const [shown, hidden] = this.lens.textures;
    if (this.done < passes) {
      gpu.pass("gather.frag", {
        shown, hidden, reach: this.reach.textures[0], size, tile: TILE, first: this.done, stride: passes, total,
        blades: settings.blades, turn: 0,
      }, { target: sums, added: true });
      this.done++;
    }
    gpu.pass("refocus.frag", {
      ...textures, before: sums.textures[0], behind: sums.textures[1],
      hiddenBehind: sums.textures[2], origin: box.slice(0, 2), extent: box.slice(2),
      strength, focus: this.inverse, gain: passes / this.done, lamp: settings.highlights * LAMP_POWER,
    }, { box });
    return this.done < passes;
  }

  prepare(size, strength, limit, share) {
    const { gpu, photo, settings } = this, level = Math.max(0, -Math.log2(share));
    this.lens = gpu.target("lens", ...size, [{ format: "RGBA16F", mips: true }, { format: "RGBA16F", mips: true }]);
    gpu.pass("lens.frag", {
      ...photo.textures, size, strength, limit, level, focus: this.inverse, lamp: settings.highlights * LAMP_POWER,
    }, { target: this.lens });
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
    const options = [`--focus ${at}`, `--f-number ${f}`, ...(blades > 2 ? [`--blades ${blades}`] : []),
      ...(highlights !== 1 ? [`--highlights ${short(highlights)}`] : [])];
    const named = [`focus_px=(${at.join(", ")})`, `f_number=${f}`, ...(blades > 2 ? [`blades=${blades}`] : []),
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
