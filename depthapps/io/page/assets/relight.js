// Relight: drag the light.

const LIGHT_PASSES = 16, LIGHT_RAYS = 4, SLOW_PASSES = 8; // of the still picture; in software, each has one ray
const SUN_SIZE_DEG = 0.53, LAMP_SIZE = 0.05; // sizes at the slider's left end are points; lamps in typical depths
const AMBIENT = 0.25; // of RelightParams

class Relight {
  constructor(gpu, photo) {
    Object.assign(this, { gpu, photo, id: "relight", label: "Relight", hint: "Drag the light; outside the ring it shines from behind." });
    this.light = new Light(photo);
    this.settings = { kind: "sun", color: "#ffffff", size: 0.15, intensity: 1, ambient: AMBIENT, distance: this.light.distance };
  }

  controls() {
    const lamp = this.settings.kind === "lamp";
    return [
      { kind: "choice", name: "kind", label: "Light", options: { sun: "Sun", lamp: "Lamp" }, renews: true },
      { kind: "color", name: "color", label: "Colour" },
      { kind: "range", name: "intensity", label: "Brightness", low: 0, high: 3, step: 0.05, text: v => `${Math.round(100 * v)} %` },
      { kind: "range", name: "size", label: "Softness", low: 0, high: 1, step: 0.01, text: () => this.sizeText() },
      ...(lamp ? [{ kind: "range", name: "distance", label: "Depth of the lamp", low: 0.1, high: 2, curve: "log",
        text: v => this.photo.inMetres ? metres(v / this.light.middle * this.photo.scale) : `${Math.round(100 * v)} %` }] : []),
      { kind: "range", name: "ambient", label: "Sky", low: 0, high: 1, step: 0.01, text: v => `${Math.round(100 * v)} %` },
    ];
  }

  changed(name) {
    this.light.kind = this.settings.kind;
    if (name === "distance") this.light.distance = this.settings.distance;
  }

  get sizeDeg() { return 40 * this.settings.size ** 2; } // apparent diameter of the sun
  get sizeUnits() { return 0.6 * this.settings.size ** 2 / this.light.middle; } // diameter of the lamp
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

  draw({ box, moving, fresh }) {
    const { gpu, photo, light } = this, { textures } = photo;
    const share = Math.min(1, box[2] / photo.width) * (moving ? 0.6 : 1);
    const size = [Math.round(photo.width * share), Math.round(photo.height * share)];
    const passes = moving ? 1 : gpu.software ? SLOW_PASSES : LIGHT_PASSES, rays = gpu.software ? 1 : LIGHT_RAYS;
    const sun = light.kind === "sun", camera = photo.camera, view = [camera.fx, camera.fy, camera.cx, camera.cy];
    const radius = sun ? Math.tan(this.sizeDeg * Math.PI / 360) : this.sizeUnits / 2;
    const at = sun ? light.toward : light.position;
    const seen = gpu.target("seen", ...size, [{ format: "RGBA16F" }]);
    if (fresh || moving) { gpu.clear(seen); this.done = 0; }
    const shared = { ...textures, size, view, sun, light: at };
    if (this.done < passes) {
      gpu.pass("shadow.frag", {
        ...shared, radius, first: this.done, stride: passes, total: passes * rays, largestOffset: photo.largestOffset,
      }, { target: seen, added: true });
      this.done++;
    }
    const gains = gpu.target("gains", ...size, [{ format: "RGBA16F" }, { format: "RGBA16F", mips: true }]);
    gpu.pass("gain.frag", {
      ...shared, seen: seen.textures[0], ambient: this.settings.ambient, reference: sun ? 1 : light.reference,
      color: times(linearOf(this.settings.color), this.settings.intensity),
    }, { target: gains });
    gpu.mipmap(gains.textures[1]);
    gpu.pass("relight.frag", {
      ...textures, gains: gains.textures[0], trusted: gains.textures[1], origin: box.slice(0, 2), extent: box.slice(2), size,
    }, { box });
    return this.done < passes;
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
