"use strict";
const TOUCHED = matchMedia("(pointer: coarse)").matches; // by fingers, and words say so

// Plain maths of cameras and depth. Axes are those of the camera: X right, Y down, Z forward, in metres.

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const add = (a, b) => a.map((v, k) => v + b[k]);
const subtract = (a, b) => a.map((v, k) => v - b[k]);
const times = (a, factor) => a.map(v => v * factor);
const dot = (a, b) => a.reduce((sum, v, k) => sum + v * b[k], 0);
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const unit = a => times(a, 1 / (Math.hypot(...a) || 1));

const coprime = (a, b) => b ? coprime(b, a % b) : a === 1;

function median(values) {
  const sorted = Float64Array.from(values).sort(), middle = sorted.length >> 1;
  if (!sorted.length) return NaN;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// 1/Z of a code of 16 bits, as io/page/pack.py packs it
const inverseOfCode = (code, packed) => code ? packed.top * Math.exp((code - 65535) * packed.step) : 0;

const rayThrough = (camera, x, y) => [(x - camera.cx) / camera.fx, (y - camera.cy) / camera.fy, 1];
const pointAt = (camera, x, y, inverse) => times(rayThrough(camera, x, y), 1 / inverse);
const pixelOf = (camera, point) => [
  camera.fx * point[0] / point[2] + camera.cx, camera.fy * point[1] / point[2] + camera.cy];

// Length from one pixel's point to another's, and its standard deviation when 1/Z of each has the deviation sigma
// (errors of the two are independent, and move points along their rays: dZ = Z² · d(1/Z)).
function lengthBetween(camera, from, to, sigma) {
  const ends = [from, to].map(({ x, y, inverse }) => ({ ray: rayThrough(camera, x, y), z: 1 / inverse }));
  const way = subtract(times(ends[1].ray, ends[1].z), times(ends[0].ray, ends[0].z));
  const length = Math.hypot(...way), along = unit(way);
  const off = ends.map(({ ray, z }) => dot(along, ray) * z * z * sigma);
  return { length, sigma: Math.hypot(...off) };
}

// A direction towards a light from its place on the picture: the middle is behind the camera, a full radius away is
// square to the line of sight, and beyond that the light stands behind the scene. x, y: in radii.
function directionAt(x, y) {
  const radius = Math.min(Math.hypot(x, y), 1.9), angle = radius * Math.PI / 2;
  const around = radius > 1e-6 ? Math.sin(angle) / Math.hypot(x, y) : 0;
  return [x * around, y * around, -Math.cos(angle)];
}

function placeOfDirection([x, y, z]) {
  const across = Math.hypot(x, y), radius = Math.atan2(across, -z) / (Math.PI / 2);
  return across > 1e-6 ? [x / across * radius, y / across * radius] : [radius, 0];
}

// Azimuth and elevation in degrees, as `depthapps shadow` takes them, of a direction towards a sun
const anglesOf = ([x, y, z]) => ({
  azimuth: Math.atan2(x, -z) * 180 / Math.PI, elevation: Math.asin(clamp(-y, -1, 1)) * 180 / Math.PI });
function directionOf(azimuth, elevation) {
  const a = azimuth * Math.PI / 180, e = elevation * Math.PI / 180;
  return [Math.cos(e) * Math.sin(a), -Math.sin(e), -Math.cos(e) * Math.cos(a)];
}

// sRGB byte of a colour input -> linear light
const linearOf = hex => [1, 3, 5].map(at => {
  const v = parseInt(hex.slice(at, at + 2), 16) / 255;
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
});

const hexOf = color => "#" + color.map(v => {
  const coded = v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055;
  return Math.round(255 * clamp(coded, 0, 1)).toString(16).padStart(2, "0");
}).join("");

// Matrices of four columns, column by column, as WebGL takes them
function multiply(a, b) {
  const out = new Float32Array(16);
  for (let column = 0; column < 4; column++)
    for (let row = 0; row < 4; row++)
      for (let k = 0; k < 4; k++) out[4 * column + row] += a[4 * k + row] * b[4 * column + k];
  return out;
}

// Clip coordinates of a pinhole camera whose picture fills the box left, top, right, bottom (in its pixel edges)
function projectionOf(camera, box, near, far) {
  const [left, top, right, bottom] = box, wide = right - left, high = bottom - top;
  return new Float32Array([
    2 * camera.fx / wide, 0, 0, 0,
    0, -2 * camera.fy / high, 0, 0,
    2 * (camera.cx + 0.5 - left) / wide - 1, 1 - 2 * (camera.cy + 0.5 - top) / high, (far + near) / (far - near), 1,
    0, 0, -2 * far * near / (far - near), 0]);
}

const short = value => Number(value.toPrecision(3)).toString();
const metres = value => value >= 0.9995 ? `${value.toFixed(value < 10 ? 2 : 1)} m` : `${(100 * value).toFixed(1)} cm`;

// A length in metres with its standard deviation, to the decimals that this leaves
function withError(value, sigma) {
  const [unit, factor] = value >= 1 ? ["m", 1] : ["cm", 100];
  const decimals = clamp(1 - Math.floor(Math.log10(Math.max(sigma * factor, 1e-9))), 0, 3);
  return `${(value * factor).toFixed(decimals)} ± ${(sigma * factor).toFixed(decimals)} ${unit}`;
}
