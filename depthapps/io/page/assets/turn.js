// Turn: the scene in 3D. It leans after the pointer or the phone's tilt until it is taken hold of.

const LEAN = 0.05; // radians
const DETAIL = 500000, MOVING_DETAIL = 70000; // vertices of the photo's grid: at rest, and where frames take too long
const TEAR = 0.05; // relative difference of 1/Z from one pixel to the next above which the surface is torn

// The photo as a grid of its pixels, with the hidden layer behind it
class PhotoSurface {
  constructor(gpu, photo) {
    Object.assign(this, { gpu, photo, grids: new Map() });
    const known = Float32Array.from(sampled(photo.inverse).filter(w => w > 0)).sort();
    this.nearest = 1 / known[known.length - 1];
    this.farthest = 2 / known[0];
    this.middle = 1 / known[Math.floor(known.length / 2)];
  }

  grid(vertices) {
    const { gpu: { gl }, photo: { width, height } } = this;
    const stride = Math.max(1, Math.ceil(Math.sqrt(width * height / vertices)));
    if (this.grids.has(stride)) return this.grids.get(stride);
    const columns = Math.ceil((width - 1) / stride) + 1, rows = Math.ceil((height - 1) / stride) + 1;
    const corners = new Uint32Array(6 * (columns - 1) * (rows - 1));
    for (let y = 0, at = 0; y < rows - 1; y++)
      for (let x = 0; x < columns - 1; x++, at += 6) {
        const a = y * columns + x, c = a + columns;
        corners.set([a, c, a + 1, a + 1, c, c + 1], at);
      }
    const array = gl.createVertexArray();
    gl.bindVertexArray(array);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, corners, gl.STATIC_DRAW);
    gl.bindVertexArray(null);
    const made = { array, columns, stride, vertices: columns * rows, count: corners.length };
    this.grids.set(stride, made);
    return made;
  }

  draw(matrix, style, coarse, pixels) {
    const { gpu, photo } = this, { gl } = gpu, grid = this.grid(coarse ? MOVING_DETAIL : DETAIL), { camera, textures } = photo;
    for (const [color, depth] of [["photo", "depth"], ["hiddenColor", "hiddenDepth"]]) {
      gpu.use(gpu.program("turn.frag", "turn.vert"), {
        matrix, view: [camera.fx, camera.fy, camera.cx, camera.cy], columns: grid.columns, stride: grid.stride,
        photo: textures[color], depth: textures[depth], farthest: 1 / this.farthest, tear: TEAR * grid.stride,
        wires: style === "wires", points: style === "points", size: Math.max(1, 1.3 * grid.stride * pixels),
      });
      gl.bindVertexArray(grid.array);
      if (style === "points") gl.drawArrays(gl.POINTS, 0, grid.vertices);
      else gl.drawElements(gl.TRIANGLES, grid.count, gl.UNSIGNED_INT, 0);
    }
  }
}

// A mesh with a texture or colours, or a cloud of points
class ModelSurface {
  constructor(gpu, model, texture) {
    const { gl } = gpu, positions = numbersOf(model.positions, Float32Array);
    Object.assign(this, { gpu, texture, count: positions.length / 3, textured: Boolean(texture) });
    this.array = gl.createVertexArray();
    gl.bindVertexArray(this.array);
    this.attribute(0, positions, 3, gl.FLOAT);
    this.attribute(1, numbersOf(model.colors, Uint8Array), 3, gl.UNSIGNED_BYTE);
    if (texture) this.attribute(2, numbersOf(model.uv, Float32Array), 2, gl.FLOAT);
    this.triangles = model.triangles && numbersOf(model.triangles, Uint32Array);
    if (this.triangles) this.wires = this.elements();
    gl.bindVertexArray(null);
    this.texture ||= gpu.map(new Uint8Array(1), 1, 1);
    const depths = positions.filter((_, k) => k % 3 === 2).filter(z => z > 0).sort();
    this.nearest = depths[0] || 1;
    this.farthest = 2 * (depths[depths.length - 1] || 1);
    this.middle = this.triangles ? typicalDepth(positions, this.triangles) : depths[depths.length >> 1] || 1;
  }

  attribute(at, values, parts, type) {
    const { gl } = this.gpu;
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, parts, type, type === gl.UNSIGNED_BYTE, 0, 0);
  }

  // Triangles, then the sides of triangles, in one buffer; where the sides begin and how many ends they have
  elements() {
    const { gl } = this.gpu, { triangles } = this, sides = new Uint32Array(2 * triangles.length);
    for (let k = 0; k < triangles.length; k += 3)
      sides.set([triangles[k], triangles[k + 1], triangles[k + 1], triangles[k + 2], triangles[k + 2], triangles[k]], 2 * k);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, 4 * (triangles.length + sides.length), gl.STATIC_DRAW);
    gl.bufferSubData(gl.ELEMENT_ARRAY_BUFFER, 0, triangles);
    gl.bufferSubData(gl.ELEMENT_ARRAY_BUFFER, 4 * triangles.length, sides);
    return { first: 4 * triangles.length, count: sides.length };
  }

  draw(matrix, style, coarse, pixels) {
    const { gpu, wires, triangles } = this, { gl } = gpu;
    const size = Math.max(1, 1.3 * pixels * Math.sqrt(this.pictured / this.count));
    gpu.use(gpu.program("model.frag", "model.vert"), { matrix, texturing: this.texture, textured: this.textured, size });
    gl.bindVertexArray(this.array);
    if (style === "points" || !triangles) gl.drawArrays(gl.POINTS, 0, this.count);
    else if (style === "wires") gl.drawElements(gl.LINES, wires.count, gl.UNSIGNED_INT, wires.first);
    else gl.drawElements(gl.TRIANGLES, triangles.length, gl.UNSIGNED_INT, 0);
  }
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
  constructor(gpu, surface, view, style) {
    Object.assign(this, { gpu, surface, view, id: "turn", label: "Turn", orbits: true, cloud: surface instanceof ModelSurface && !surface.triangles });
    this.hint = "Drag to turn, wheel or pinch to zoom, right drag or two fingers to move. R goes back to the photo's view.";
    this.settings = { style: this.cloud ? "points" : style };
    surface.pictured = view.width * view.height;
    const middle = rayThrough(view.camera, (view.width - 1) / 2, (view.height - 1) / 2);
    this.orbit = new Orbit(times(middle, surface.middle));
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
  show(style) { if (!this.cloud) this.settings.style = this.settings.style === style ? "surface" : style; }
  keys() { return { r: () => this.reset(), w: () => this.show("wires"), p: () => this.show("points") }; }

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
  animate() { return this.orbit.follow(0.3); }

  draw({ canvas, box, slow, clear }) {
    const { gpu, view, surface, orbit } = this, { gl } = gpu, scale = view.width / box[2];
    const top = box[1] + box[3] - canvas[1]; // the box counts from the bottom
    const edges = [-box[0] * scale, top * scale, (canvas[0] - box[0]) * scale, (top + canvas[1]) * scale];
    const { distance } = orbit.now, near = Math.max(surface.nearest * 0.2 * Math.min(distance, 1), surface.farthest * 1e-5);
    const projection = projectionOf(view.camera, edges, near, surface.farthest * 2 + surface.middle * 9);
    gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    gl.viewport(0, 0, ...canvas);
    gl.clearColor(...clear, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.enable(gl.DEPTH_TEST);
    surface.draw(multiply(projection, orbit.matrix), this.settings.style, slow, 1 / scale);
    gl.bindVertexArray(null);
    gl.disable(gl.DEPTH_TEST);
    return false;
  }

  recipe() {
    return {
      command: "mesh SCENE -o model.glb",
      python: ["model = da.make_model(opened.scene)", 'da.write_model("model.glb", model)'],
    };
  }
}
