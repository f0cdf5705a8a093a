// What the page holds, unpacked: the photo and its maps, or a model.

async function pictureOf(src) {
  const image = new Image();
  image.src = src;
  await image.decode();
  return image;
}

async function bytesOf(src) {
  const image = await pictureOf(src), canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.drawImage(image, 0, 0);
  return pen.getImageData(0, 0, canvas.width, canvas.height).data;
}

// 1/Z and the map packed with it; where `marked` is given, pixels without a mark get -1
function unpackInverse(bytes, packed, marked = false) {
  const count = bytes.length / 4, inverse = new Float32Array(count), third = new Uint8Array(count);
  const table = Float32Array.from({ length: 65536 }, (_, code) => inverseOfCode(code, packed));
  for (let k = 0, at = 0; k < count; k++, at += 4) {
    third[k] = bytes[at + 2];
    inverse[k] = marked && !third[k] ? -1 : table[bytes[at] << 8 | bytes[at + 1]];
  }
  return { inverse, third };
}

// The pixels of lamps as places for the GPU, in an order of which every beginning is spread over all of them
function lampsOf(bytes, width, gpu) {
  const found = [], pairs = [];
  for (let at = 0; bytes && at < bytes.length; at += 4) if (bytes[at] | bytes[at + 1] | bytes[at + 2]) found.push(at / 4);
  const step = Math.max(1, Math.round(found.length * 0.618));
  const stride = [...Array(9).keys()].map(k => step + k).find(s => coprime(s, found.length)) || 1;
  found.forEach((_, k) => { const at = found[k * stride % found.length]; pairs.push(at % width, Math.floor(at / width)); });
  return { places: gpu.places(pairs), count: found.length };
}

async function loadPhoto(data, still, gpu) {
  const [depth, solid, hidden, colors, surface, lamps] = await Promise.all([
    bytesOf(data.depth.src), bytesOf(data.solid.src), Promise.all(data.hidden.map(layer => bytesOf(layer.src))),
    Promise.all(data.hidden.map(layer => pictureOf(layer.color))),
    pictureOf(data.surface), data.lamps && bytesOf(data.lamps), still.decode()]);
  const { width, height } = data;
  const front = unpackInverse(depth, data.depth);
  const [back, deeper] = hidden.map((bytes, k) => unpackInverse(bytes, data.hidden[k], true));
  const [hiddenColor, deeperColor] = colors.map(color => gpu.picture(color));
  const near = unpackInverse(solid, data.solid), half = [width, height].map(side => Math.ceil(side / 2));
  return {
    ...data,
    inverse: front.inverse,
    hidden: back, // inverse is -1 where nothing is hidden, third is 255 where it does not belong to the photo's own surface
    deeper, // the same of what is behind that
    sure: front.third, // 0: unknown, else 17 · (1 + 14 · confidence)
    scale: 1, // metres a unit of the page's depth, which a known length changes
    lamps: lampsOf(lamps, width, gpu),
    textures: {
      photo: gpu.picture(still),
      depth: gpu.map(front.inverse, width, height),
      sure: gpu.map(front.third, width, height),
      hiddenColor,
      deeperColor,
      hiddenDepth: gpu.map(back.inverse, width, height),
      solid: gpu.map(near.inverse, ...half, true),
      thickness: gpu.map(near.third, ...half),
      surface: gpu.picture(surface, true),
      lamps: lamps ? gpu.bytes(lamps, width, height) : gpu.bytes(new Uint8Array(4), 1, 1),
    },
  };
}

// Median 1/Z of the known pixels around a place, NaN if there are none: 5 x 5 pixels, as `depthapps bokeh` focuses
function inverseAround(photo, x, y, reach = 2) {
  const found = [], [left, top] = [Math.round(x), Math.round(y)];
  for (let v = Math.max(0, top - reach); v <= Math.min(photo.height - 1, top + reach); v++)
    for (let u = Math.max(0, left - reach); u <= Math.min(photo.width - 1, left + reach); u++) {
      const at = v * photo.width + u;
      if (photo.sure[at] && photo.inverse[at] > 0) found.push(1 / photo.inverse[at]);
    }
  return found.length ? 1 / median(found) : NaN;
}

function numbersOf(text, Kind) {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let k = 0; k < raw.length; k++) bytes[k] = raw.charCodeAt(k);
  return new Kind(bytes.buffer);
}
