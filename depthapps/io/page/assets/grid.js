// The photo and what it hides as triangles over every so-many-th pixel. A cell of the photo's grid in which the depth steps
// gets a sheet for each of its sides. The shader cuts them along the step, pixel by pixel.

const TEAR = 0.05; // relative difference of 1/Z from one pixel to the next above which the surface is torn,
const NOISE = 3; // and deviations of its error
const STEEP = 0.15; // relative difference up to which it is not torn if nothing behind it would fill the gap
const FARTHEST_JOIN = 2; // times as far: from the side a longer one would look as long as the room
const ANYTHING = 1e30; // 1/m, above every 1/Z
const CONTINUED = 255; // mark of pixels behind the photo that do not belong to its own surface

// The photo's outermost pixels reach to its edges
const toEdge = (x, side) => x === 0 ? -0.5 : x === side - 1 ? side - 0.5 : x;

class Vertices {
  constructor({ width, height, camera }, farthest, most) {
    Object.assign(this, { width, height, camera, farthest, count: 0 });
    [this.positions, this.uv, this.levels] = [3, 2, 2].map(numbers => new Float32Array(numbers * most));
  }

  // levels: of 1/Z between which the shader leaves the surface; [0, 0] where it cuts nothing
  add(x, y, inverse, levels = [0, 0]) {
    const { width, height, camera, count } = this, z = Math.min(1 / inverse, this.farthest);
    const u = toEdge(x, width), v = toEdge(y, height);
    this.positions.set([(u - camera.cx) / camera.fx * z, (v - camera.cy) / camera.fy * z, z], 3 * count);
    this.uv.set([(u + 0.5) / width, (v + 0.5) / height], 2 * count);
    this.levels.set(levels, 2 * count);
    return this.count++;
  }

  with(triangles) {
    const { positions, uv, levels, count } = this;
    return { positions: positions.slice(0, 3 * count), uv: uv.slice(0, 2 * count), levels: levels.slice(0, 2 * count), triangles };
  }
}

// Every stride-th pixel of a side, and the last one
const spread = (side, stride) => Int32Array.from({ length: Math.ceil((side - 1) / stride) + 1 }, (_, k) => Math.min(k * stride, side - 1));

// Two triangles of four corners of these depths, cut by the diagonal with the smaller step
const halved = ([a, b, c, d], [p, q, r, s]) => Math.abs(p - s) <= Math.abs(q - r) ? [a, c, d, a, d, b] : [a, c, b, b, c, d];

// Call a function with each value of a map in a rectangle that lies in a range
function each(map, width, [left, right, top, bottom], [low, high], act) {
  for (let y = top; y <= bottom; y++)
    for (let x = left, at = y * width + left; x <= right; x++, at++) if (map[at] >= low && map[at] < high) act(map[at]);
}

// The ranges of 1/Z, at least one, of the surfaces that a rectangle of the photo shows
function rangesOf(photo, cell, tear, range = [0, ANYTHING]) {
  const { width, inverse, hidden, sigma = 0 } = photo;
  let low = Infinity, high = 0, filled = false;
  each(inverse, width, cell, range, w => { low = Math.min(low, w); high = Math.max(high, w); });
  if (low >= Math.min((1 - tear) * high, high - NOISE * sigma)) return [range];
  each(hidden.inverse, width, cell, [0, ANYTHING], () => { filled = true; });
  if (!filled && low >= (1 - STEEP) * high) return [range];
  const level = (low + high) / 2;
  return [[range[0], level], [level, range[1]]].flatMap(part => rangesOf(photo, cell, tear, part));
}

// The photo's own surface
function photoGrid(photo, stride, farthest) {
  const { width, height, inverse } = photo, tear = TEAR * Math.sqrt(stride);
  const xs = spread(width, stride), ys = spread(height, stride), across = xs.length - 1, down = ys.length - 1;
  const sheets = [];
  for (let row = 0; row < down; row++)
    for (let column = 0; column < across; column++) {
      const cell = [xs[column], xs[column + 1], ys[row], ys[row + 1]], ranges = rangesOf(photo, cell, tear);
      for (const range of ranges) sheets.push([cell, ranges.length > 1 && range, row * xs.length + column]);
    }
  const torn = sheets.reduce((count, [, range]) => count + Boolean(range), 0);
  const vertices = new Vertices(photo, farthest, xs.length * ys.length + 4 * torn), triangles = new Uint32Array(6 * sheets.length);
  for (const y of ys) for (const x of xs) vertices.add(x, y, inverse[y * width + x]);
  sheets.forEach(([cell, range, first], k) => {
    const [left, right, top, bottom] = cell, places = [[left, top], [right, top], [left, bottom], [right, bottom]];
    const depths = places.map(([x, y]) => inverse[y * width + x]);
    let numbers = [first, first + 1, first + xs.length, first + xs.length + 1];
    if (range) { // its corners that belong to other surfaces lie at its mean depth
      let sum = 0, count = 0;
      each(inverse, width, cell, range, w => { sum += w; count++; });
      places.forEach((_, corner) => { if (!(depths[corner] >= range[0] && depths[corner] < range[1])) depths[corner] = sum / count; });
      numbers = places.map(([x, y], corner) => vertices.add(x, y, depths[corner], range));
    }
    triangles.set(halved(numbers, depths), 6 * k);
  });
  return vertices.with(triangles);
}

// A layer that the photo hides. Its parts are joined where nothing is below that a tear could show, however far apart in depth
// above another layer. In the last one, what lies farther is not joined: it would be drawn out beyond the photo's edges.
function hiddenGrid(photo, { inverse, third }, below, stride, farthest) {
  const { width, height } = photo, xs = spread(width, stride), ys = spread(height, stride), tear = TEAR * Math.sqrt(stride);
  const vertices = new Vertices(photo, farthest, xs.length * ys.length), number = new Int32Array(xs.length * ys.length).fill(-1);
  const triangles = new Uint32Array(6 * number.length);
  let corners = 0;
  const pixel = k => ys[Math.floor(k / xs.length)] * width + xs[k % xs.length];
  const joined = three => {
    const depths = three.map(k => inverse[pixel(k)]), low = Math.min(...depths);
    if (low < 0 || low >= (1 - tear) * Math.max(...depths)) return low >= 0;
    if (!below && low < Math.max(...depths) / FARTHEST_JOIN) return false;
    return three.some(k => third[pixel(k)] === CONTINUED) && !(below && three.some(k => below.third[pixel(k)] === CONTINUED));
  };
  const vertex = k => number[k] >= 0 ? number[k] : number[k] = vertices.add(xs[k % xs.length], ys[Math.floor(k / xs.length)], inverse[pixel(k)]);
  for (let row = 0; row < ys.length - 1; row++)
    for (let column = 0; column < xs.length - 1; column++) {
      const a = row * xs.length + column, four = [a, a + 1, a + xs.length, a + xs.length + 1];
      const six = halved(four, four.map(k => inverse[pixel(k)]));
      for (const three of [six.slice(0, 3), six.slice(3)])
        if (joined(three)) { triangles.set(three.map(vertex), corners); corners += 3; }
    }
  return vertices.with(triangles.slice(0, corners));
}
