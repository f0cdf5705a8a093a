// The lens of `depthapps bokeh`: 50 mm on a sensor of 36 mm. c = f_px · f / (2N) · (1/z − 1/z_focus), in pixels.

const FOCAL_M = 0.05, SENSOR_M = 0.036;
const LAMP_POWER = 20; // of bokeh/highlights.py
const LARGEST_BLUR = 0.06; // of the width: the page's largest radius, four times that of an ordinary bokeh

// Pixels of the page's photo that the radius grows by for 1/m of the page's depth, which is `scale` times too small
const lensStrength = (photo, fNumber) => FOCAL_M / SENSOR_M * photo.width * FOCAL_M / (2 * fNumber) / photo.scale;

const GOLDEN = Math.PI * (3 - Math.sqrt(5)); // radians between neighbours on Vogel's spiral

// The samples of a pass over a spiral: direction, number and a half, half the binary logarithm of that
function waysOf(pass, { passes, most }) {
  const numbers = Array.from({ length: most }, (_, n) => pass + n * passes);
  return Float32Array.from(numbers.flatMap(k => [Math.cos(k * GOLDEN), Math.sin(k * GOLDEN), k + 0.5, 0.5 * Math.log2(k + 0.5)]));
}
