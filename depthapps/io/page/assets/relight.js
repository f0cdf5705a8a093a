// Relight: drag the light.

const FINE_LIGHT = { hardware: { passes: 16, rays: 4 }, software: { passes: 8, rays: 1 } }; // of a pixel, a pass
const FINE_STEPS = 80, COARSE_STEPS = 28; // of a ray, still and moving
const COARSE_LIGHT = 0.6; // pixels of the light for each of the canvas, in each direction, while it moves
const WIDEST_SUN_DEG = 40, WIDEST_LAMP = 0.6; // the largest softness: diameters, of a lamp in typical depths
const AMBIENT = 0.25; // of RelightParams

class Relight {
  constructor(gpu, photo) {
    Object.assign(this, { gpu, photo, id: "relight", label: "Relight" });
    this.light = new Light(photo);
    this.passes = new Passes();
    this.settings = { kind: "sun", color: "#ffffff", size: 0.15, intensity: 1, ambient: AMBIENT, distance: this.light.distance };
    if (photo.light) this.take(photo.light);
  }

  get hint() {
    return this.settings.kind === "sun" ? "Drag the sun; outside the ring it shines from behind."
      : TOUCHED ? "Drag the lamp." : "Drag the lamp; the wheel moves it nearer or farther.";
  }

  // Show a light of the command
  take({ lamp, at, size, color, intensity, ambient }) {
    const { light, settings } = this;
    light.kind = lamp ? "lamp" : "sun";
    if (lamp) light.position = at; else light.toward = at;
    const share = lamp ? size * light.middle / WIDEST_LAMP : size / WIDEST_SUN_DEG;
    Object.assign(settings, { kind: light.kind, color: hexOf(color), size: Math.sqrt(share), intensity, ambient, distance: light.distance });
  }

  controls() {
    const lamp = this.settings.kind === "lamp";
    return [
      { kind: "choice", name: "kind", label: "Light", options: { sun: "Sun", lamp: "Lamp" }, renews: true },
      { kind: "color", name: "color", label: "Colour" },
      { kind: "range", name: "intensity", label: "Brightness", low: 0, high: 3, step: 0.05, text: v => `${Math.round(100 * v)} %` },
      { kind: "range", name: "size", label: "Softness", low: 0, high: 1, step: 0.01, text: () => this.sizeText() },
      ...(lamp ? [{ kind: "range", name: "distance", label: "Distance", low: 0.1, high: 2, curve: "log",
        text: v => this.photo.inMetres ? metres(v / this.light.middle * this.photo.scale) : `${Math.round(100 * v)} %` }] : []),
      { kind: "range", name: "ambient", label: "Sky", low: 0, high: 1, step: 0.01, text: v => `${Math.round(100 * v)} %` },
    ];
  }

  changed(name) {
    this.light.kind = this.settings.kind;
    if (name === "distance") this.light.distance = this.settings.distance;
  }

  get sizeDeg() { return WIDEST_SUN_DEG * this.settings.size ** 2; } // apparent diameter of the sun
  get sizeUnits() { return WIDEST_LAMP * this.settings.size ** 2 / this.light.middle; } // diameter of the lamp
  sizeText() {
    if (!this.settings.size) return "hard";
    if (this.settings.kind === "sun") return `${short(this.sizeDeg)}°`;
    return this.photo.inMetres ? metres(this.sizeUnits * this.photo.scale) : short(this.settings.size);
  }

  press(x, y) { return this.drag(x, y); }
  drag(x, y) {
    this.light.moveTo(x, y);
    const { azimuth, elevation } = anglesOf(this.light.toward);
    return this.light.kind === "sun" ? `Sun at ${Math.round(azimuth)}°, ${Math.round(elevation)}° high.` : "";
  }

  step(dx, dy) {
    const [x, y] = this.light.place;
    return this.drag(x + dx, y + dy);
  }

  wheel(turn) {
    if (this.settings.kind !== "lamp") return;
    this.settings.distance = clamp(this.settings.distance * Math.exp(turn / 800), 0.1, 2);
    this.changed("distance");
  }

  marks(pen) {
    const { photo, light } = this, [x, y] = light.place;
    if (light.kind === "sun") pen.circle(photo.width / 2, photo.height / 2, light.radius);
    pen.lamp(clamp(x, 0, photo.width), clamp(y, 0, photo.height), this.settings.color, light.kind);
  }

  // Do a portion of the work on a picture `wide` pixels across; whether there is something new to show
  work({ wide, moving, fresh, portion }) {
    const { gpu, photo, light, passes } = this, { textures, camera } = photo;
    const scale = Math.min(1, wide / photo.width) * (moving ? COARSE_LIGHT : 1);
    const size = [photo.width, photo.height].map(side => Math.max(1, Math.round(side * scale)));
    const how = moving ? { passes: 1, rays: 1 } : FINE_LIGHT[gpu.software ? "software" : "hardware"];
    const sun = light.kind === "sun", at = sun ? light.toward : light.position;
    const shared = { ...textures, size, view: [camera.fx, camera.fy, camera.cx, camera.cy], sun, light: at };
    const seen = gpu.target("seen", ...size, [{ format: "RGBA16F" }]);
    if (fresh) passes.restart(how.passes, size[1]);
    const whole = passes.step(moving ? 1 : portion, (pass, ...rows) => {
      if (!pass && !rows[0]) gpu.clear(seen);
      gpu.pass("shadow.frag", {
        ...shared, radius: sun ? Math.tan(this.sizeDeg * Math.PI / 360) : this.sizeUnits / 2, first: pass, stride: how.passes,
        total: how.passes * how.rays, steps: moving ? COARSE_STEPS : FINE_STEPS, largestOffset: photo.largestOffset,
      }, { target: seen, added: true, rows });
    });
    if (!whole) return false;
    this.gains = gpu.target("gains", ...size, [{ format: "RGBA16F" }, { format: "RGBA16F", mips: true }]);
    gpu.pass("gain.frag", {
      ...shared, seen: seen.textures[0], ambient: this.settings.ambient, reference: sun ? 1 : light.reference,
      color: times(linearOf(this.settings.color), this.settings.intensity),
    }, { target: this.gains });
    gpu.mipmap(this.gains.textures[1]);
    return true;
  }

  get finished() { return this.passes.finished; }

  show({ box }) {
    const { gpu, photo, gains } = this, [each, trusted] = gains.textures;
    gpu.pass("relight.frag", {
      ...photo.textures, gains: each, trusted, origin: box.slice(0, 2), extent: box.slice(2), size: [gains.width, gains.height],
    }, { box });
  }

  recipe() {
    const { settings, light, photo } = this, color = linearOf(settings.color).map(v => Number(v.toFixed(3)));
    const sun = light.kind === "sun", { azimuth, elevation } = anglesOf(light.toward), white = settings.color === "#ffffff";
    const place = light.position.map(v => short(v * photo.scale)), size = short(this.sizeUnits * photo.scale);
    const options = [
      ...(sun ? [`--azimuth ${Math.round(azimuth)}`, `--elevation ${Math.round(elevation)}`, `--angular-size ${short(this.sizeDeg)}`]
        : ["--light point", `--position=${place}`, `--size ${size}`]),
      `--intensity ${short(settings.intensity)}`, ...(white ? [] : [`--color=${color}`]), `--ambient ${short(settings.ambient)}`];
    const lamp = sun ? `da.DirectionalLight.from_angles(${Math.round(azimuth)}, ${Math.round(elevation)}, ${short(this.sizeDeg)})`
      : `da.PointLight((${place.join(", ")}), ${size})`;
    return {
      command: `shadow SCENE -o relit.jpg ${options.join(" ")}`,
      python: [`light = da.LitBy(${lamp}, ${short(settings.intensity)}${white ? "" : `, (${color.join(", ")})`})`,
        `relit = da.relight(opened.scene, [light], da.RelightParams(ambient=${short(settings.ambient)}))`,
        'da.write_image("relit.jpg", relit, opened.metadata)'],
    };
  }
}
