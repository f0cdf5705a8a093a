precision highp float;
precision highp int;
precision highp sampler2D;
const float PI = 3.14159265359;
const float GOLDEN = 2.39996322973; // radians between neighbours on Vogel's spiral

// Encode linear light as sRGB (IEC 61966-2-1)
vec3 encoded(vec3 light) {
  light = clamp(light, 0.0, 1.0);
  return mix(12.92 * light, 1.055 * pow(light, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, light));
}

// A number in 0..1 that differs from pixel to pixel without a pattern (Jimenez 2014, interleaved gradient noise)
float noise(vec2 pixel) {
  return fract(52.9829189 * fract(dot(pixel, vec2(0.06711056, 0.00583715))));
}

// The place of a fragment in the picture, 0..1 from the top left; origin: of the box on the canvas, extent: its size
vec2 placed(vec2 fragment, vec2 origin, vec2 extent) {
  vec2 at = (fragment - origin) / extent;
  return vec2(at.x, 1.0 - at.y);
}

// A unit normal that faces the camera, of its packed X and Y
vec3 normalOf(vec2 packed) {
  vec2 n = packed * 2.0 - 1.0;
  return vec3(n, -sqrt(max(1.0 - dot(n, n), 0.0)));
}

// Light of the photo, with a clipped lamp as bright as it was, as bokeh/highlights.py brightens it. lamp: its hue times
// the share by which it looks like a lamp; power: of a lamp, relative to white
vec3 brightened(vec3 light, vec3 lamp, float power) {
  float share = max(lamp.r, max(lamp.g, lamp.b)), factor = 1.0 + (power - 1.0) * share;
  return share > 0.0 && power > 0.0 && factor > 1.0 ? factor * lamp / share : light;
}

const float SHARP = 0.57735; // px; a disc of this radius is no wider than its own pixel, which shows as it is
