// Turn: the scene in 3D. It leans after the pointer or the phone's tilt until it is taken hold of.

const LEAN = 0.05; // radians
const FOLLOW_MS = 70; // in which the view comes two thirds of the way to where the hand wants it
const DETAILS = [400000, 100000, 6000]; // vertices of the photo's grid, by how slow the frames are
const WIRES = 12000; // vertices of its wires: finer ones would look like a surface
const GLOW = 0.55; // of the blurred photo behind what is turned
const AWAY = 0.1; // radians, or shares of the distance, from the photo's view: there none of its colours are left beside near things
const BLURRED = 48; // pixels across it

// Triangles with a texture or colours, or points, in the buffers of the GPU
class Surface {
  constructor(gpu, { positions, triangles = null, uv = null, colors = null, texture = null, levels = null, maps = null }) {
    const { gl } = gpu;
    Object.assign(this, { gpu, triangles, texture, maps, count: positions.length / 3 });
    this.array = gl.createVertexArray();
    gl.bindVertexArray(this.array);
    this.attribute(0, positions, 3, gl.FLOAT);
    if (texture) this.attribute(2, uv, 2, gl.FLOAT); else this.attribute(1, colors, 3, gl.UNSIGNED_BYTE);
    if (levels) this.attribute(3, levels, 2, gl.FLOAT);
    if (triangles) this.elements();
    gl.bindVertexArray(null);
    this.nothing = gpu.map(new Uint8Array(1), 1, 1);
  }

  attribute(at, values, parts, type) {
    const { gl } = this.gpu;
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, parts, type, type === gl.UNSIGNED_BYTE, 0, 0);
  }

  elements() {
    const { gl } = this.gpu;
    this.corners = gl.createBuffer();
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.corners);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, this.triangles, gl.STATIC_DRAW);
  }

  // The sides of all triangles as a vertex array of its own, made when wires are first wanted
  get wires() {
    if (this.sides) return this.sides;
    const { gl } = this.gpu, { triangles } = this, ends = new Uint32Array(2 * triangles.length);
    for (let k = 0; k < triangles.length; k += 3)
      ends.set([triangles[k], triangles[k + 1], triangles[k + 1], triangles[k + 2], triangles[k + 2], triangles[k]], 2 * k);
    const buffer = gl.createBuffer();
    gl.bindVertexArray(null);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, ends, gl.STATIC_DRAW);
    this.sides = { buffer, count: ends.length };
    return this.sides;
  }

  draw(matrix, style, pointSize, home = 0) {
    const { gpu, triangles, nothing } = this, { gl } = gpu, wired = style === "wires" && triangles && this.wires;
    const smoothed = Boolean(this.maps) && gl.getParameter(gl.SAMPLES) > 0;
    const { photo, depth, hiddenColor, hiddenDepth } = this.maps || { photo: nothing, depth: nothing, hiddenColor: nothing, hiddenDepth: nothing };
    gpu.use(gpu.program("surface.frag", "surface.vert"), {
      matrix, painting: this.texture || nothing, textured: Boolean(this.texture), size: pointSize,
      photo, depth, hiddenColor, hiddenDepth, smoothed, home: this.maps ? home : 0,
    });
    if (smoothed) gl.enable(gl.SAMPLE_ALPHA_TO_COVERAGE);
    gl.bindVertexArray(this.array);
    if (!triangles || style === "points") gl.drawArrays(gl.POINTS, 0, this.count);
    else if (!wired) gl.drawElements(gl.TRIANGLES, triangles.length, gl.UNSIGNED_INT, 0);
    else {
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, wired.buffer);
      gl.drawElements(gl.LINES, wired.count, gl.UNSIGNED_INT, 0);
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.corners);
    }
    gl.bindVertexArray(null);
    gl.disable(gl.SAMPLE_ALPHA_TO_COVERAGE);
  }
}

// The photo's texture without the colours of near things on what is beside them
function withoutHalos(gpu, { width, height, textures }) {
  const target = gpu.target("clean", width, height, [{ format: "SRGB8_ALPHA8", mips: true }]), [texture] = target.textures;
  gpu.pass("halos.frag", textures, { target });
  gpu.mipmap(texture);
  return texture;
}

// The photo as a grid of its pixels, with the hidden layers behind it, in several details
class PhotoShape {
  constructor(gpu, photo) {
    Object.assign(this, { gpu, photo, built: new Map() });
    const known = Float32Array.from(sampled(photo.inverse).filter(w => w > 0)).sort();
    this.nearest = 1 / known[known.length - 1];
    this.farthest = 2 / known[0];
    this.middle = 1 / known[Math.floor(known.length / 2)];
    this.painting = withoutHalos(gpu, photo);
  }

  surfaces(most) { // vertices
    const { photo: { width, height, textures }, gpu } = this;
    const stride = Math.max(1, Math.ceil(Math.sqrt(width * height / most)));
    if (!this.built.has(stride)) {
      const { photo, farthest } = this, { hidden, deeper } = photo;
      const below = [[hiddenGrid(photo, hidden, deeper, stride, farthest), textures.hiddenColor],
        [hiddenGrid(photo, deeper, null, stride, farthest), textures.deeperColor]];
      this.built.set(stride, [
        new Surface(gpu, { ...photoGrid(photo, stride, farthest), texture: this.painting, maps: textures }),
        ...below.filter(([grid]) => grid.triangles.length).map(([grid, texture]) => new Surface(gpu, { ...grid, texture }))]);
    }
    return this.built.get(stride).map(surface => [surface, stride]);
  }

  draw(matrix, style, slowness, pixels, away) {
    const wired = style === "wires", surfaces = this.surfaces(wired ? WIRES : DETAILS[slowness]);
    for (const [surface, stride] of wired ? surfaces.slice(0, 1) : surfaces)
      surface.draw(matrix, style, Math.max(1, 1.2 * stride * pixels), clamp(1 - away / AWAY, 0, 1));
  }

  // Behind a surface, the photo's blurred colours
  backdrop(box, ground, glow) {
    const { gpu, photo: { width, height, textures } } = this;
    if (!this.blurred) {
      const size = [BLURRED, Math.max(1, Math.round(BLURRED * height / width))];
      this.blurred = gpu.target("blurred", ...size, [{ format: "RGBA16F" }]);
      gpu.pass("blur.frag", { photo: textures.photo, size }, { target: this.blurred });
    }
    return { blurred: this.blurred.textures[0], origin: box.slice(0, 2), extent: box.slice(2), ground, glow };
  }
}

// A mesh with a texture or colours, or a cloud of points, as the page holds it
class ModelShape {
  constructor(gpu, model, texture) {
    const positions = numbersOf(model.positions, Float32Array), triangles = model.triangles && numbersOf(model.triangles, Uint32Array);
    const painted = texture ? { uv: numbersOf(model.uv, Float32Array), texture } : { colors: numbersOf(model.colors, Uint8Array) };
    this.surface = new Surface(gpu, { positions, triangles, ...painted });
    this.cloud = !triangles;
    this.apart = Math.sqrt(model.width * model.height / this.surface.count); // of its points, in pixels of the photo
    const depths = positions.filter((_, k) => k % 3 === 2).filter(z => z > 0).sort();
    this.nearest = depths[0] || 1;
    this.farthest = 2 * (depths[depths.length - 1] || 1);
    this.middle = triangles ? typicalDepth(positions, triangles) : depths[depths.length >> 1] || 1;
  }

  draw(matrix, style, slowness, pixels) { this.surface.draw(matrix, style, Math.max(1, 1.2 * pixels * this.apart)); }
}

// Median depth over the picture that a mesh fills, however finely its parts are divided
function typicalDepth(positions, triangles) {
  const parts = [];
  let whole = 0;
  for (let k = 0; k < triangles.length; k += 3) {
    const [a, b, c] = [0, 1, 2].map(n => positions.subarray(3 * triangles[k + n], 3 * triangles[k + n] + 3));
    if (a[2] <= 0 || b[2] <= 0 || c[2] <= 0) continue;
    const [u, v, w] = [a, b, c].map(p => [p[0] / p[2], p[1] / p[2]]);
    const area = Math.abs((v[0] - u[0]) * (w[1] - u[1]) - (w[0] - u[0]) * (v[1] - u[1]));
    parts.push([(a[2] + b[2] + c[2]) / 3, area]);
    whole += area;
  }
  parts.sort((one, other) => one[0] - other[0]);
  let below = 0;
  for (const [depth, area] of parts) if ((below += area) >= whole / 2) return depth;
  return 1;
}

class Turn {
  constructor(gpu, shape, view, style) {
    Object.assign(this, { gpu, shape, view, id: "turn", label: "Turn", orbits: true, cloud: shape.cloud });
    this.hint = TOUCHED ? "Drag to turn, pinch to zoom, move two fingers to shift."
      : "Drag to turn, wheel to zoom, right drag to shift. R goes back to the photo's view.";
    this.settings = { style: this.cloud ? "points" : style };
    this.glow = GLOW;
    const middle = rayThrough(view.camera, (view.width - 1) / 2, (view.height - 1) / 2);
    this.orbit = new Orbit(times(middle, shape.middle));
    this.leans = !matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  controls() {
    const styles = { surface: "Surface", wires: "Wires", points: "Points" };
    return [
      ...(this.cloud ? [] : [{ kind: "choice", name: "style", label: "Drawn as", options: styles }]),
      { kind: "button", label: "Back to the photo's view", act: () => this.reset() },
    ];
  }

  reset() { this.orbit.home(); this.leans = true; }
  toggle(style) { if (!this.cloud) this.settings.style = this.settings.style === style ? "surface" : style; }
  keys() { return { r: () => this.reset(), w: () => this.toggle("wires"), p: () => this.toggle("points") }; }

  lean(right, down) { // each -1..1; true if the view follows
    if (!this.leans) return false;
    [this.orbit.goal.yaw, this.orbit.goal.pitch] = [LEAN * right, -LEAN * down];
    return true;
  }

  turnBy(dx, dy) { this.leans = false; this.orbit.turn(-dx, dy); }
  moveBy(dx, dy) { this.leans = false; this.orbit.move(dx, dy); }
  zoomBy(factor) { this.leans = false; this.orbit.zoom(factor); }
  step(dx, dy) { this.turnBy(3 * dx / this.view.width, 3 * dy / this.view.height); }
  marks() {}
  animate(ms) { return this.orbit.follow(1 - Math.exp(-ms / FOLLOW_MS)); }

  show({ canvas, box, slowness, clear }) {
    const { gpu, view, shape, orbit } = this, { gl } = gpu, scale = view.width / box[2];
    const top = box[1] + box[3] - canvas[1]; // the box counts from the bottom
    const edges = [-box[0] * scale, top * scale, (canvas[0] - box[0]) * scale, (top + canvas[1]) * scale];
    const { distance } = orbit.now, near = Math.max(shape.nearest * 0.2 * Math.min(distance, 1), shape.farthest * 1e-5);
    const projection = projectionOf(view.camera, edges, near, shape.farthest * 2 + shape.middle * 9);
    const behind = shape.backdrop && this.settings.style === "surface" && shape.backdrop(box, clear, this.glow);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, ...canvas);
    gl.clearColor(...clear, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    shape.draw(multiply(projection, orbit.matrix), this.settings.style, slowness, 1 / scale, orbit.away);
    if (behind) gpu.pass("backdrop.frag", behind, { box: [0, 0, ...canvas], behind: true });
    gl.disable(gl.DEPTH_TEST);
  }

  recipe() {
    return {
      command: "mesh SCENE -o model.glb",
      python: ["model = da.make_model(opened.scene)", 'da.write_model("model.glb", model)'],
    };
  }
}
